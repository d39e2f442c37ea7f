/* Made-up payments: what the fraud detector trains on when it is given no data. */
#ifndef EXAMPLES_TRANSACTIONS_H
#define EXAMPLES_TRANSACTIONS_H

#include <luge.h>

#define TRANSACTIONS_ROWS 50000
#define TRANSACTIONS_FEATURES 20
#define TRANSACTIONS_FRAUDS 1000

/* 50,000 rows of 20 independent standard normal features v1 ... v20, of which the 1,000 with the highest suspicion are
 * fraud, 2 in 100:
 *
 *     suspicion = v1 + 0.8 v2 - 0.6 v3 + v4 v5 + 0.2 noise
 *
 * A linear model sees the first three terms. The product, high when v4 and v5 stray to the same side, is invisible to
 * it, since each of the two alone says nothing; a small network learns it. The other 15 features are noise. The rows
 * are the same at every call. "y" is 0 or 1; the classes are named "genuine" and "fraud". NULL on error. */
lg_dataset *transactions_new(void);

#endif
