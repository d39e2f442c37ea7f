/* What faces train says of its network: how well people are told whom it has never seen. */
#ifndef EXAMPLES_OPENSET_REPORT_H
#define EXAMPLES_OPENSET_REPORT_H

#include "openset.h"
#include "triplets.h"

/* Prints and notes ("metrics.threshold", "metrics.test.rank_1_accuracy", ...) the rates of the validation and the test
 * part, part[0] and part[1], at a threshold that was chosen to let this share of strangers pass on the first. */
void openset_report(run *r, const probes part[2], double threshold, double false_accepts);

/* Writes predictions.csv: part,row,identity,nearest,distance_own,distance_other,loss; a line for each picture that was
 * shown. The loss is that of the triplet which the nearest pictures make with it. */
lg_status openset_write(run *r, const probes part[2], const trainer_data *data, const triplet_options *options);

#endif
