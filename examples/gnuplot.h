/* Running gnuplot: what a script writes goes to it, and its picture to a file. */
#ifndef EXAMPLES_GNUPLOT_H
#define EXAMPLES_GNUPLOT_H

#include <stdio.h>

/* Writes the commands of a picture. */
typedef void plot_script(FILE *gnuplot, const void *context);

/* Draws the script into the file `output` by a terminal of gnuplot's ("svg size 720,480 noenhanced"), as UTF-8. NULL, or
 * why there is no picture: gnuplot_failed where gnuplot ran and refused (it knows no such terminal, say). gnuplot reports
 * success even where its output did not fit on the disk. */
const char *gnuplot_run(int output, const char *terminal, plot_script *script, const void *context);
extern const char gnuplot_failed[];

/* Text as a string of gnuplot's language, quotes included, without control characters. */
void plot_string(FILE *gnuplot, const char *text);

#endif
