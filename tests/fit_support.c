#include "fit_support.h"

#include <check.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

line line_new(size_t columns, double learning_rate)
{
    line l = { .params = lg_params_new() };
    l.w = lg_params_add(l.params, "w", LG_SHAPE(1, columns));
    l.b = lg_params_add(l.params, "b", LG_SHAPE(1));
    l.optimizer = lg_sgd_new(l.params, &(lg_sgd_options){ .learning_rate = learning_rate });
    return l;
}

void line_free(line *l)
{
    lg_optimizer_free(l->optimizer);
    lg_params_free(l->params);
}

lg_tensor *line_step(lg_tape *tape, const lg_batch *batch, void *model)
{
    line *l = model;
    lg_tensor *x = lg_batch_x(tape, batch);                                                 /* [batch, columns] */
    lg_tensor *y = lg_batch_y(tape, batch);                                                 /* [batch] */
    lg_tensor *rows = lg_linear(tape, x, l->w, l->b, LG_LINEAR);                            /* [batch, 1] */
    lg_tensor *predicted = lg_reshape(tape, rows, LG_SHAPE(lg_batch_rows(batch)));
    return lg_mean(tape, lg_square(tape, lg_sub(tape, predicted, y)));
}

lg_tensor *logistic_step(lg_tape *tape, const lg_batch *batch, void *model)
{
    line *l = model;
    lg_tensor *y = lg_batch_y(tape, batch);                                                 /* [batch] */
    lg_tensor *logits = lg_linear(tape, lg_batch_x(tape, batch), l->w, l->b, LG_LINEAR);    /* [batch, 1] */
    lg_report_accuracy(tape, logits, y);
    return lg_binary_crossentropy(tape, logits, y, &(lg_loss_options){ .from_logits = true });
}

lg_dataset *points_new(size_t rows, size_t columns, bool binary, uint64_t seed)
{
    lg_rng rng = lg_rng_seed(seed);
    lg_real *x = malloc(rows * columns * sizeof *x), *y = malloc(rows * sizeof *y);
    for (size_t i = 0; i < rows; i++) {
        double value = 1 + 0.1 * lg_rng_normal(&rng);
        for (size_t j = 0; j < columns; j++) {
            x[i * columns + j] = (lg_real)lg_rng_normal(&rng);
            value += (double)(j + 1) * (double)x[i * columns + j];
        }
        y[i] = binary ? value > 1 : (lg_real)value;
    }
    lg_dataset *points = lg_dataset_from_arrays(rows, columns, x, y);
    if (binary)
        lg_dataset_set_class_names(points, 2, (const char *[]){ "below", "above" });
    free(x);
    free(y);
    return points;
}

lg_fit_options quiet(size_t epochs, size_t batch_size)
{
    return (lg_fit_options){ .epochs = epochs, .batch_size = batch_size, .verbose = LG_SILENT };
}

static char folder[64];

void make_folder(void)
{
    strcpy(folder, "/tmp/luge-fit-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

void remove_folder(void)
{
    char command[96];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    ck_assert_int_eq(system(command), 0);
}

const char *in_folder(const char *name)
{
    static char paths[4][160];
    static size_t next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

const char *text_of(const char *path)
{
    static char texts[4][65536];
    static size_t next;
    char *text = texts[next++ % 4];
    FILE *stream = fopen(path, "r");
    ck_assert_msg(stream != NULL, "%s: %s", path, strerror(errno));
    text[fread(text, 1, sizeof texts[0] - 1, stream)] = '\0';
    fclose(stream);
    return text;
}
