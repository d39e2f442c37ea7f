/* Drawing pairs and batches by class (draw.h). */
#include "data/draw.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/dataset_internal.h"
#include "tensor/memory_internal.h"

struct lg_draw {
    lg_dataset *base;
    const lg_real *x;  /* of the base, [rows, width] */
    size_t width;
    lg_dataset *drawn;
    lg_rng rng;

    /* The rows of class c are row[first[c] .. first[c + 1]). Classes of two rows or more come before those of one, and
     * their rows with them: row[0 .. paired). */
    size_t *row, *first;
    int32_t *label; /* of each of these classes, as the base has it */
    size_t classes, paired_classes, rows, paired;

    /* What was drawn: places in `row`. */
    size_t *place, drawn_rows;
    size_t per_batch, per_class, batch_rows; /* of class batches; per_class 0: pairs */
    size_t similar;
    size_t *class_order, *row_order; /* scratch */
};

/* ------------------------------------------------------------ rows by class */

static lg_status allocate_groups(lg_draw *draw, size_t count, size_t classes)
{
    const char *what = "lg_draw";
    draw->row = lg_calloc(count, sizeof *draw->row, what);
    draw->first = draw->row ? lg_calloc(classes + 1, sizeof *draw->first, what) : NULL;
    draw->label = draw->first ? lg_calloc(classes, sizeof *draw->label, what) : NULL;
    draw->class_order = draw->label ? lg_calloc(classes, sizeof *draw->class_order, what) : NULL;
    return draw->class_order ? LG_OK : LG_E_MEMORY;
}

/* The groups in their order, empty classes left out; count_of[c] becomes where class c goes on. */
static void arrange_classes(lg_draw *draw, size_t *count_of, size_t classes)
{
    size_t next = 0;
    for (int single = 0; single <= 1; single++)
        for (size_t c = 0; c < classes; c++) {
            const size_t rows = count_of[c];
            if (rows == 0 || (rows == 1) != single)
                continue;
            draw->label[draw->classes] = (int32_t)c;
            draw->first[draw->classes++] = next;
            next += rows;
            if (!single) {
                draw->paired_classes = draw->classes;
                draw->paired = next;
            }
        }
    draw->first[draw->classes] = draw->rows = next;
    for (size_t k = 0; k < draw->classes; k++)
        count_of[draw->label[k]] = draw->first[k];
}

static lg_status group(lg_draw *draw, const size_t *ids, size_t count)
{
    const size_t classes = lg_dataset_classes(draw->base);
    size_t *count_of = lg_calloc(classes, sizeof *count_of, "lg_draw");
    int32_t *labels = count_of ? lg_calloc(count, sizeof *labels, "lg_draw") : NULL;
    lg_status status = labels ? lg_dataset_labels(draw->base, ids, count, labels) : LG_E_MEMORY;
    if (status == LG_OK)
        status = allocate_groups(draw, count, classes);
    if (status == LG_OK) {
        for (size_t i = 0; i < count; i++)
            count_of[labels[i]]++;
        arrange_classes(draw, count_of, classes);
        for (size_t i = 0; i < count; i++)
            draw->row[count_of[labels[i]]++] = ids ? ids[i] : i;
    }
    free(labels);
    free(count_of);
    return status;
}

/* ------------------------------------------------------------------ drawing */

/* The class of a place, by bisection. */
static size_t class_of(const lg_draw *draw, size_t place)
{
    size_t low = 0, high = draw->classes;
    while (high - low > 1) {
        const size_t middle = low + (high - low) / 2;
        if (draw->first[middle] <= place)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static void draw_pairs(lg_draw *draw, lg_rng *rng)
{
    for (size_t k = 0; k < draw->drawn_rows; k++) {
        const bool similar = k < draw->similar;
        const size_t a = (size_t)lg_rng_below(rng, similar ? draw->paired : draw->rows), c = class_of(draw, a);
        const size_t begin = draw->first[c], rows = draw->first[c + 1] - begin;
        size_t b;
        if (similar) { /* any of the class but a */
            b = begin + (size_t)lg_rng_below(rng, rows - 1);
            b += b >= a;
        } else { /* any outside of the class */
            b = (size_t)lg_rng_below(rng, draw->rows - rows);
            b += b >= begin ? rows : 0;
        }
        draw->place[2 * k] = a;
        draw->place[2 * k + 1] = b;
    }
}

static void draw_batches(lg_draw *draw, lg_rng *rng)
{
    size_t *place = draw->place;
    for (size_t batch = 0; batch < draw->drawn_rows / draw->batch_rows; batch++) {
        lg_rng_permutation(rng, draw->paired_classes, draw->class_order);
        for (size_t k = 0; k < draw->per_batch; k++) {
            const size_t c = draw->class_order[k], begin = draw->first[c], rows = draw->first[c + 1] - begin;
            lg_rng_permutation(rng, rows, draw->row_order);
            for (size_t i = 0; i < draw->per_class; i++)
                *place++ = begin + draw->row_order[i % rows];
        }
    }
}

lg_status lg_draw_epoch(lg_draw *draw, uint64_t epoch)
{
    if (!draw)
        return lg_fail_null("lg_draw_epoch: the draw is NULL");
    lg_rng rng = lg_rng_split(&draw->rng, epoch);
    (draw->per_class ? draw_batches : draw_pairs)(draw, &rng);
    return LG_OK;
}

/* ------------------------------------------------------------------ filling */

static void copy_row(const lg_draw *draw, size_t place, lg_real *out)
{
    memcpy(out, draw->x + draw->row[place] * draw->width, draw->width * sizeof *out);
}

static lg_status fill_pairs(void *context, const size_t *ids, size_t count, void *const *values, int32_t *const *lengths)
{
    const lg_draw *draw = context;
    lg_real *a = values[0], *b = values[1], *y = values[2];
    int32_t *row_a = values[3], *row_b = values[4];
    (void)lengths;
    for (size_t i = 0; i < count; i++) {
        const size_t *place = draw->place + 2 * ids[i];
        copy_row(draw, place[0], a + i * draw->width);
        copy_row(draw, place[1], b + i * draw->width);
        y[i] = ids[i] < draw->similar;
        row_a[i] = (int32_t)draw->row[place[0]];
        row_b[i] = (int32_t)draw->row[place[1]];
    }
    return LG_OK;
}

static lg_status fill_rows(void *context, const size_t *ids, size_t count, void *const *values, int32_t *const *lengths)
{
    const lg_draw *draw = context;
    lg_real *x = values[0];
    int32_t *y = values[1], *row = values[2];
    (void)lengths;
    for (size_t i = 0; i < count; i++) {
        const size_t place = draw->place[ids[i]];
        copy_row(draw, place, x + i * draw->width);
        y[i] = draw->label[class_of(draw, place)];
        row[i] = (int32_t)draw->row[place];
    }
    return LG_OK;
}

/* ------------------------------------------------------------------- making */

static lg_draw *new_draw(const lg_dataset *dataset, const size_t *ids, size_t count, const lg_rng *rng)
{
    if (!dataset || !rng) {
        lg_fail_null("lg_draw: %s is NULL", dataset ? "the generator" : "the data set");
        return NULL;
    }
    const lg_real *x = lg_dataset_values(dataset, "x");
    if (!x || lg_dataset_rows(dataset) > INT32_MAX) {
        lg_fail(LG_E_PARAM, "lg_draw: the data set has no field \"x\" in memory, or too many rows");
        return NULL;
    }
    lg_draw *draw = lg_calloc(1, sizeof *draw, "lg_draw");
    if (!draw)
        return NULL;
    draw->base = lg_dataset_retain(dataset);
    draw->x = x;
    draw->width = lg_field_size(lg_dataset_field(dataset, "x"));
    draw->rng = *rng;
    if (group(draw, ids, ids ? count : lg_dataset_rows(dataset)) == LG_OK)
        return draw;
    lg_draw_free(draw);
    return NULL;
}

/* What is drawn changes from epoch to epoch; what it is drawn from does not. */
static uint64_t base_checksum(void *context)
{
    uint64_t sum = 0;
    (void)lg_dataset_checksum(((const lg_draw *)context)->base, &sum); /* of rows in memory: it is there */
    return sum;
}

/* Makes the data set of drawn_rows rows, each of `places` places, and draws the first epoch. */
static lg_status finish(lg_draw *draw, size_t places, const lg_field *fields, size_t field_count,
                        lg_status (*fill)(void *, const size_t *, size_t, void *const *, int32_t *const *))
{
    size_t total;
    if (!lg_size_mul(draw->drawn_rows, places, &total))
        return lg_fail(LG_E_MEMORY, "lg_draw: %zu rows are too many", draw->drawn_rows);
    draw->place = lg_calloc(total, sizeof *draw->place, "lg_draw");
    draw->row_order = draw->place ? lg_calloc(draw->rows, sizeof *draw->row_order, "lg_draw") : NULL;
    if (!draw->row_order)
        return LG_E_MEMORY;
    draw->drawn = lg_dataset_from_source(&(lg_source){ .rows = draw->drawn_rows,
                                                       .field_count = field_count,
                                                       .fields = fields,
                                                       .context = draw,
                                                       .fill = fill,
                                                       .checksum = base_checksum });
    return draw->drawn ? lg_draw_epoch(draw, 0) : lg_error_code();
}

lg_draw *lg_draw_pairs(const lg_dataset *dataset, const size_t *ids, size_t count, size_t pairs, double similar,
                       const lg_rng *rng)
{
    if (pairs == 0 || !(similar >= 0 && similar <= 1)) {
        lg_fail(LG_E_PARAM, "lg_draw_pairs: %zu pairs, %g of them similar; at least 1, and a share from 0 to 1", pairs,
                similar);
        return NULL;
    }
    lg_draw *draw = new_draw(dataset, ids, count, rng);
    if (!draw)
        return NULL;
    draw->drawn_rows = pairs;
    draw->batch_rows = 1;
    draw->similar = (size_t)llround(similar * (double)pairs);
    lg_field a = *lg_dataset_field(dataset, "x"), b = a;
    a.name = "a";
    b.name = "b";
    const lg_field fields[] = { a, b, { .name = "y" }, { .name = "row_a", .dtype = LG_INT32 },
                                { .name = "row_b", .dtype = LG_INT32 } };
    lg_status status = LG_OK;
    if (draw->similar && draw->paired == 0)
        status = lg_fail(LG_E_PARAM, "lg_draw_pairs: no class has two rows, but similar pairs are wanted");
    else if (draw->similar < pairs && draw->classes < 2)
        status = lg_fail(LG_E_PARAM, "lg_draw_pairs: the rows are of %zu class; two are needed for pairs that differ",
                         draw->classes);
    else
        status = finish(draw, 2, fields, 5, fill_pairs);
    if (status == LG_OK)
        return draw;
    lg_draw_free(draw);
    return NULL;
}

lg_draw *lg_draw_classes(const lg_dataset *dataset, const size_t *ids, size_t count, size_t batches, size_t classes,
                         size_t per_class, const lg_rng *rng)
{
    if (batches == 0 || classes < 2 || per_class < 2) {
        lg_fail(LG_E_PARAM, "lg_draw_classes: %zu batches of %zu classes with %zu rows; at least 1, 2 and 2", batches,
                classes, per_class);
        return NULL;
    }
    lg_draw *draw = new_draw(dataset, ids, count, rng);
    if (!draw)
        return NULL;
    draw->per_batch = classes < draw->paired_classes ? classes : draw->paired_classes;
    draw->per_class = per_class;
    lg_field x = *lg_dataset_field(dataset, "x");
    const lg_field fields[] = { x, { .name = "y", .dtype = LG_INT32 }, { .name = "row", .dtype = LG_INT32 } };
    lg_status status;
    if (draw->per_batch < 2)
        status = lg_fail(LG_E_PARAM, "lg_draw_classes: %zu classes have two rows or more, but two such are needed",
                         draw->paired_classes);
    else if (!lg_size_mul(draw->per_batch, per_class, &draw->batch_rows) ||
             !lg_size_mul(draw->batch_rows, batches, &draw->drawn_rows))
        status = lg_fail(LG_E_MEMORY, "lg_draw_classes: %zu batches of %zu rows a class are too many", batches, per_class);
    else
        status = finish(draw, 1, fields, 3, fill_rows);
    if (status == LG_OK)
        return draw;
    lg_draw_free(draw);
    return NULL;
}

const lg_dataset *lg_draw_dataset(const lg_draw *draw)
{
    return draw ? draw->drawn : NULL;
}

size_t lg_draw_batch_rows(const lg_draw *draw)
{
    return draw ? draw->batch_rows : 0;
}

void lg_draw_free(lg_draw *draw)
{
    if (!draw)
        return;
    lg_dataset_free(draw->drawn);
    lg_dataset_free(draw->base);
    free(draw->row);
    free(draw->first);
    free(draw->label);
    free(draw->class_order);
    free(draw->row_order);
    free(draw->place);
    free(draw);
}
