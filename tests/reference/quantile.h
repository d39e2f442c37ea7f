/* Reference values, made by quantile.py: do not edit.
 *
 * Quantile regression: the least mean pinball loss of lines, and the textbook's run. */
#ifndef REFERENCE_QUANTILE_H
#define REFERENCE_QUANTILE_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>

struct reference_quantile {
    double tau, pinball, intercept, slope;
};

/* engel.csv: foodexp by income */
static const struct reference_quantile reference_engel[] = {
    { 0.1, 16.46779642973034, 110.14157420494843, 0.4017657593034804 },
    { 0.25, 30.137514463722887, 95.48353963455288, 0.47410320819331014 },
    { 0.5, 37.36155882473551, 81.48224741693613, 0.5601805512094196 },
    { 0.75, 27.784043761250757, 62.396585528964565, 0.6440141393686898 },
    { 0.9, 14.43397323841808, 67.3508720801297, 0.6862994803719054 },
};

/* iris.csv: column 3, the petal's width, by columns 0, 1 and 2, and the class as a number */
static const struct reference_quantile reference_iris[] = {
    { 0.1, 0.027956318407960198, -0.2566417910447764, -0.07014925373134315 },
    { 0.5, 0.060269938259817954, -0.4788237540576661, -0.10807714340271153 },
    { 0.9, 0.026541445657826308, -0.4227769110764432, 0.017160686427456936 },
};

/* The textbook's run: loss before each hundredth epoch, then where it ends. */
static const double reference_textbook_losses[] = { 0.8121175545290005, 0.6136517401717678, 0.45363368269872173, 0.3354984418833592, 0.2540297046469057,
      0.2036644868374972, 0.17739579165437652, 0.1659478385553774, 0.16083236300209006, 0.15891075773005434 };
static const double reference_textbook_loss = 0.15844220852442706;
static const double reference_textbook_w = 1.95546365691269, reference_textbook_b = 0.37978000000000284;

#endif
