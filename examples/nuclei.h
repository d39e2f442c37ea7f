/* Measures of cell nuclei: what the support vector machine trains on when it is given no data. */
#ifndef EXAMPLES_NUCLEI_H
#define EXAMPLES_NUCLEI_H

#include <luge.h>

/* The embedded breast_cancer.csv, 569 rows of 30 features, with the names of features and classes ("malignant",
 * "benign") that are not in the file. NULL on error. */
lg_dataset *nuclei_new(void);

#endif
