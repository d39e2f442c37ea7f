/* Data that is part of the program, so that a trainer runs anywhere without a file: some of data/, as it is there. */
#ifndef EXAMPLES_EMBEDDED_H
#define EXAMPLES_EMBEDDED_H

#include <luge.h>

/* Reads one by the name that it has in data/: "breast_cancer.csv", "digits.csv.gz", "engel.csv" or
 * "quantile_textbook.csv.gz". As lg_dataset_read_csv; messages call it "embedded breast_cancer.csv". LG_E_PARAM for another name. */
lg_dataset *embedded_read(const char *name, const lg_csv_options *csv);

#endif
