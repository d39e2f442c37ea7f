/* quantiles.svg: the rows, and what a quantile regression predicts for them. */
#ifndef EXAMPLES_QUANTILE_PICTURE_H
#define EXAMPLES_QUANTILE_PICTURE_H

#include "quantile_report.h"

/* With one feature, target by feature with a curve for each quantile; else target by the quantile nearest the
 * median. */
lg_status quantile_draw(run *r, const trainer_data *data, const quantile_options *options,
                        const quantile_results *results);

#endif
