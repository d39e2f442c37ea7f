#include "quantile_picture.h"
#include "plot.h"

#include <math.h>

#define GRID 100 /* points of a curve */

typedef struct picture {
    const trainer_data *data;
    const quantile_options *options;
    const lg_real *rows;   /* [all rows, quantiles] */
    const lg_real *curves; /* [GRID, quantiles], with one feature; else NULL */
    double grid[GRID];     /* where the curves are known */
} picture;

/* Predictions at equal steps of the one feature, whose values come into grid; NULL on error. */
static lg_tensor *predict_grid(const trainer_data *data, const quantile_results *results, double grid[GRID])
{
    const lg_real *x = lg_dataset_values(data->all, "x");
    const double *mean = lg_scaler_means(data->scaler), *deviation = lg_scaler_deviations(data->scaler);
    lg_real low = x[0], high = x[0], scaled[GRID];
    for (size_t i = 0; i < lg_dataset_rows(data->all); i++) {
        low = x[i] < low ? x[i] : low;
        high = x[i] > high ? x[i] : high;
    }
    for (size_t i = 0; i < GRID; i++) {
        scaled[i] = low + (high - low) * (lg_real)i / (GRID - 1);
        grid[i] = mean ? (double)scaled[i] * deviation[0] + mean[0] : (double)scaled[i];
    }
    lg_dataset *points = lg_dataset_from_arrays(GRID, 1, scaled, NULL);
    lg_tensor *curves = points ? lg_predict(results->outputs, results->model, points,
                                            &(lg_fit_options){ .batch_size = GRID }) : NULL;
    lg_dataset_free(points);
    return curves;
}

/* The quantile nearest the median, by which rows stand in the picture where features are many. */
static size_t middle(const quantile_options *options)
{
    size_t best = 0;
    for (size_t q = 1; q < options->quantiles; q++)
        if (fabs(options->tau[q] - 0.5) < fabs(options->tau[best] - 0.5))
            best = q;
    return best;
}

/* Where a row stands on the horizontal axis: its feature, or the middle prediction. */
static double place(const picture *p, size_t row)
{
    const quantile_options *options = p->options;
    if (!p->curves)
        return (double)p->rows[row * options->quantiles + middle(options)];
    const double x = (double)lg_dataset_values(p->data->all, "x")[row];
    const lg_scaler *scaler = p->data->scaler;
    return scaler ? x * lg_scaler_deviations(scaler)[0] + lg_scaler_means(scaler)[0] : x;
}

/* From blue for low quantiles, by violet, to orange for high ones. */
static void curve_colour(const quantile_options *options, size_t q, char colour[16])
{
    static const double stops[3][3] = { { 31, 111, 180 }, { 128, 52, 140 }, { 217, 98, 43 } };
    const double at = options->quantiles > 1 ? 2 * (double)q / (double)(options->quantiles - 1) : 1;
    const size_t first = at >= 1;
    unsigned mixed[3];
    for (int i = 0; i < 3; i++)
        mixed[i] = (unsigned)(stops[first][i] + (at - (double)first) * (stops[first + 1][i] - stops[first][i]));
    snprintf(colour, 16, "#%02x%02x%02x", mixed[0] & 255, mixed[1] & 255, mixed[2] & 255);
}

static void write_points(FILE *gnuplot, const picture *p, const char *block, size_t count, const size_t *ids)
{
    const lg_real *y = lg_dataset_values(p->data->all, "y");
    fprintf(gnuplot, "$%s << END\n", block);
    for (size_t i = 0; i < count; i++)
        fprintf(gnuplot, "%.9g %.9g\n", place(p, ids[i]), (double)y[ids[i]]);
    fputs("END\n", gnuplot);
}

/* With one feature the curves; else what is predicted for each row. */
static void write_curves(FILE *gnuplot, const picture *p)
{
    const size_t quantiles = p->options->quantiles, points = p->curves ? GRID : lg_dataset_rows(p->data->all);
    const lg_real *values = p->curves ? p->curves : p->rows;
    fputs("$curves << END\n", gnuplot);
    for (size_t i = 0; i < points; i++) {
        fprintf(gnuplot, "%.9g", p->curves ? p->grid[i] : place(p, i));
        for (size_t q = 0; q < quantiles; q++)
            fprintf(gnuplot, " %.9g", (double)values[i * quantiles + q]);
        fputs("\n", gnuplot);
    }
    fputs("END\n", gnuplot);
}

static void quantiles_script(FILE *gnuplot, const void *context)
{
    const picture *p = context;
    const lg_split *split = p->data->split;
    const lg_dataset *all = p->data->all;
    const char *feature = lg_dataset_feature_name(all, 0), *target = lg_dataset_target_name(all);
    char label[64];
    snprintf(label, sizeof label, "prediction of quantile %g", p->options->tau[middle(p->options)]);
    write_points(gnuplot, p, "train", split->train_rows, split->train);
    write_points(gnuplot, p, "validation", split->validation_rows, split->validation);
    write_points(gnuplot, p, "test", split->test_rows, split->test);
    write_curves(gnuplot, p);
    fputs("set title 'Quantiles'\nset xlabel ", gnuplot);
    plot_string(gnuplot, p->curves ? feature ? feature : "feature" : label);
    fputs("\nset ylabel ", gnuplot);
    plot_string(gnuplot, target ? target : "target");
    fputs("\nset border 3\nset tics nomirror\nset grid lc rgb '#dddddd'\nset key top left reverse Left\n"
          "plot $train using 1:2 with points pt 7 ps 0.35 lc rgb '#999999' title 'training'", gnuplot);
    if (split->validation_rows)
        fputs(", $validation using 1:2 with points pt 7 ps 0.35 lc rgb '#c9a800' title 'validation'", gnuplot);
    if (split->test_rows)
        fputs(", $test using 1:2 with points pt 7 ps 0.35 lc rgb '#2c9f45' title 'test'", gnuplot);
    for (size_t k = p->options->quantiles; k-- > 0;) {
        char colour[16];
        curve_colour(p->options, k, colour);
        fprintf(gnuplot, ", $curves using 1:%zu with %s lc rgb '%s' title '%g'", k + 2,
                p->curves ? "lines lw 2" : "points pt 7 ps 0.2", colour, p->options->tau[k]);
    }
    fputs("\n", gnuplot);
}

lg_status quantile_draw(run *r, const trainer_data *data, const quantile_options *options,
                        const quantile_results *results)
{
    picture p = { .data = data, .options = options, .rows = lg_tensor_data(results->rows) };
    const bool one = lg_dataset_features(data->all) == 1;
    lg_tensor *curves = one ? predict_grid(data, results, p.grid) : NULL;
    p.curves = lg_tensor_data(curves);
    lg_status status = one && !curves ? lg_error_code() : plot_draw(r, "quantiles.svg", quantiles_script, &p);
    lg_tensor_free(curves);
    return status;
}
