/* Pairs and class batches drawn from data sets: that they are what they say, and as likely as they should be. */
#include "data/draw.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fail_alloc.h"

static void expect_error(lg_status code, const char *part)
{
    ck_assert_msg(strstr(lg_error(), part) != NULL, "\"%s\" does not say \"%s\"", lg_error(), part);
    ck_assert_int_eq(lg_error_code(), code);
    lg_error_clear();
}

/* Six rows of classes 2 0 2 1 0 2 (and class 3 without any); row i is (i, 10 i). */
static const int32_t classes_of[] = { 2, 0, 2, 1, 0, 2 };

static lg_dataset *six(void)
{
    lg_real x[12];
    for (size_t i = 0; i < 6; i++)
        x[2 * i] = (lg_real)i, x[2 * i + 1] = (lg_real)(10 * i);
    return lg_dataset_from_classes(6, 2, x, classes_of, 4);
}

/* All rows of a drawn data set at once. */
static lg_batch *all_rows(const lg_draw *draw)
{
    const lg_dataset *drawn = lg_draw_dataset(draw);
    const size_t rows = lg_dataset_rows(drawn);
    lg_batch *batch = lg_batch_new(drawn, rows);
    size_t *ids = calloc(rows, sizeof *ids);
    for (size_t i = 0; i < rows; i++)
        ids[i] = i;
    ck_assert_int_eq(lg_batch_fill(batch, ids, rows), LG_OK);
    free(ids);
    return batch;
}

/* counts[similar][a][b] of all pairs drawn, each checked. */
static void count_pairs(const lg_draw *draw, size_t counts[2][6][6])
{
    lg_batch *batch = all_rows(draw);
    const lg_real *a = lg_batch_values(batch, "a"), *b = lg_batch_values(batch, "b"), *y = lg_batch_values(batch, "y");
    const int32_t *row_a = lg_batch_indices(batch, "row_a"), *row_b = lg_batch_indices(batch, "row_b");
    for (size_t i = 0; i < lg_batch_rows(batch); i++) {
        const int32_t p = row_a[i], q = row_b[i];
        ck_assert(p >= 0 && p < 6 && q >= 0 && q < 6 && p != q);
        ck_assert((double)a[2 * i] == p && (double)a[2 * i + 1] == 10 * p);
        ck_assert((double)b[2 * i] == q && (double)b[2 * i + 1] == 10 * q);
        ck_assert((y[i] == 1 || y[i] == 0) && (y[i] == 1) == (classes_of[p] == classes_of[q]));
        counts[y[i] == 1][p][q]++;
    }
    lg_batch_free(batch);
}

static double chance(bool similar, size_t a, size_t b)
{
    const double of_class[] = { 2, 1, 3 };
    const double n = of_class[classes_of[a]];
    if (a == b || similar != (classes_of[a] == classes_of[b]))
        return 0;
    return similar ? 1.0 / 5 / (n - 1) : 1.0 / 6 / (6 - n); /* class 1 has no pair */
}

START_TEST(pairs_are_as_likely_as_they_should_be)
{
    enum { PAIRS = 60000 };
    lg_dataset *rows = six();
    lg_rng rng = lg_rng_seed(1);
    lg_draw *draw = lg_draw_pairs(rows, NULL, 0, PAIRS, 0.4, &rng);
    size_t counts[2][6][6] = { 0 };
    count_pairs(draw, counts);
    for (size_t s = 0; s < 2; s++) {
        const double total = s ? 0.4 * PAIRS : 0.6 * PAIRS;
        double sum = 0;
        for (size_t a = 0; a < 6; a++)
            for (size_t b = 0; b < 6; b++) {
                const double p = chance(s, a, b), deviation = sqrt(total * p * (1 - p));
                ck_assert_msg(fabs((double)counts[s][a][b] - total * p) <= 5 * deviation, "pair %zu, %zu: %zu", a, b,
                              counts[s][a][b]);
                sum += (double)counts[s][a][b];
            }
        ck_assert_double_eq(sum, total);
    }
    lg_draw_free(draw);
    lg_dataset_free(rows);
}
END_TEST

START_TEST(only_the_rows_given_are_drawn)
{
    lg_dataset *rows = six();
    lg_rng rng = lg_rng_seed(1);
    const size_t ids[] = { 5, 1, 0 };
    lg_draw *draw = lg_draw_pairs(rows, ids, 3, 1000, 0.5, &rng);
    lg_dataset_free(rows); /* the draw keeps what it needs */
    size_t counts[2][6][6] = { 0 };
    count_pairs(draw, counts);
    ck_assert_uint_eq(counts[1][5][0] + counts[1][0][5], 500);
    ck_assert_uint_eq(counts[0][5][1] + counts[0][0][1] + counts[0][1][0] + counts[0][1][5], 500);
    lg_draw_free(draw);
}
END_TEST

static void copy_rows(const lg_draw *draw, const char *field, int32_t *out)
{
    lg_batch *batch = all_rows(draw);
    memcpy(out, lg_batch_indices(batch, field), lg_batch_rows(batch) * sizeof *out);
    lg_batch_free(batch);
}

START_TEST(an_epoch_depends_on_generator_and_number_alone)
{
    enum { ROWS = 120 };
    lg_dataset *rows = six();
    const lg_rng rng = lg_rng_seed(7), other = lg_rng_seed(8);
    for (int kind = 0; kind < 2; kind++) {
        const char *field = kind ? "row" : "row_b";
        int32_t drawn[6][ROWS];
        lg_draw *a = kind ? lg_draw_classes(rows, NULL, 0, ROWS / 4, 2, 2, &rng)
                          : lg_draw_pairs(rows, NULL, 0, ROWS, 0.5, &rng);
        lg_draw *b = kind ? lg_draw_classes(rows, NULL, 0, ROWS / 4, 2, 2, &other)
                          : lg_draw_pairs(rows, NULL, 0, ROWS, 0.5, &other);
        ck_assert_uint_eq(lg_dataset_rows(lg_draw_dataset(a)), ROWS);
        copy_rows(a, field, drawn[0]);
        copy_rows(b, field, drawn[1]);
        const uint64_t epochs[] = { 5, 3, 5, 0 };
        for (size_t i = 0; i < 4; i++) {
            ck_assert_int_eq(lg_draw_epoch(a, epochs[i]), LG_OK);
            copy_rows(a, field, drawn[2 + i]);
        }
        ck_assert_mem_ne(drawn[0], drawn[1], sizeof drawn[0]);
        ck_assert_mem_ne(drawn[0], drawn[2], sizeof drawn[0]);
        ck_assert_mem_ne(drawn[2], drawn[3], sizeof drawn[0]);
        ck_assert_mem_eq(drawn[2], drawn[4], sizeof drawn[0]);
        ck_assert_mem_eq(drawn[0], drawn[5], sizeof drawn[0]);
        lg_draw_free(a);
        lg_draw_free(b);
    }
    lg_dataset_free(rows);
}
END_TEST

START_TEST(batches_hold_so_many_rows_of_so_many_classes)
{
    enum { BATCHES = 3000 };
    lg_dataset *rows = six();
    lg_rng rng = lg_rng_seed(2);
    lg_draw *draw = lg_draw_classes(rows, NULL, 0, BATCHES, 9, 3, &rng); /* two classes have two rows: 0 and 2 */
    ck_assert_uint_eq(lg_draw_batch_rows(draw), 6);
    ck_assert_uint_eq(lg_dataset_rows(lg_draw_dataset(draw)), 6 * BATCHES);
    lg_batch *batch = all_rows(draw);
    const lg_real *x = lg_batch_values(batch, "x");
    const int32_t *y = lg_batch_indices(batch, "y"), *row = lg_batch_indices(batch, "row");
    size_t first_is_0 = 0, twice[6] = { 0 };
    for (size_t b = 0; b < BATCHES; b++, x += 12, y += 6, row += 6) {
        size_t seen[6] = { 0 };
        for (size_t i = 0; i < 6; i++) {
            ck_assert((double)x[2 * i] == row[i] && (double)x[2 * i + 1] == 10 * row[i]);
            ck_assert_int_eq(y[i], classes_of[row[i]]);
            ck_assert_int_eq(y[i], y[i / 3 * 3]);
            seen[row[i]]++;
        }
        ck_assert_int_ne(y[0], y[3]);
        ck_assert(seen[0] == 1 && seen[2] == 1 && seen[5] == 1); /* no row twice where there are three */
        ck_assert(seen[1] + seen[4] == 3 && seen[1] >= 1 && seen[4] >= 1);
        first_is_0 += y[0] == 0;
        twice[1] += seen[1] == 2;
    }
    ck_assert_double_eq_tol((double)first_is_0 / BATCHES, 0.5, 5 * 0.5 / sqrt(BATCHES));
    ck_assert_double_eq_tol((double)twice[1] / BATCHES, 0.5, 5 * 0.5 / sqrt(BATCHES));
    lg_batch_free(batch);
    lg_draw_free(draw);
    lg_dataset_free(rows);
}
END_TEST

START_TEST(what_cannot_be_drawn_is_refused)
{
    lg_dataset *rows = six(), *subset = lg_dataset_subset(rows, (const size_t[]){ 0, 2, 5 }, 3);
    const size_t one_class[] = { 0, 2 }, singles[] = { 0, 1, 3 }, beyond[] = { 0, 6 };
    lg_rng rng = lg_rng_seed(1);
    ck_assert_ptr_null(lg_draw_pairs(rows, one_class, 2, 10, 0.5, &rng));
    expect_error(LG_E_PARAM, "the rows are of 1 class; two are needed");
    lg_draw *draw = lg_draw_pairs(rows, one_class, 2, 10, 1, &rng);
    ck_assert_ptr_nonnull(draw);
    lg_draw_free(draw);
    ck_assert_ptr_null(lg_draw_pairs(rows, singles, 3, 10, 0.5, &rng));
    expect_error(LG_E_PARAM, "no class has two rows");
    draw = lg_draw_pairs(rows, singles, 3, 10, 0, &rng);
    ck_assert_ptr_nonnull(draw);
    lg_draw_free(draw);
    ck_assert_ptr_null(lg_draw_pairs(rows, beyond, 2, 10, 0.5, &rng));
    ck_assert_int_eq(lg_error_code(), LG_E_INDEX);
    ck_assert_ptr_null(lg_draw_pairs(rows, NULL, 0, 0, 0.5, &rng));
    expect_error(LG_E_PARAM, "0 pairs");
    ck_assert_ptr_null(lg_draw_pairs(rows, NULL, 0, 5, NAN, &rng));
    lg_error_clear();
    ck_assert_ptr_null(lg_draw_pairs(NULL, NULL, 0, 5, 0.5, &rng));
    expect_error(LG_E_PARAM, "the data set is NULL");
    ck_assert_ptr_null(lg_draw_pairs(subset, NULL, 0, 5, 0.5, &rng));
    expect_error(LG_E_PARAM, "no field \"x\" in memory");
    ck_assert_ptr_null(lg_draw_pairs(rows, NULL, 0, SIZE_MAX / 2, 0.5, &rng));
    expect_error(LG_E_MEMORY, "out of memory");
    ck_assert_ptr_null(lg_draw_classes(rows, singles, 3, 5, 2, 2, &rng));
    expect_error(LG_E_PARAM, "0 classes have two rows or more");
    ck_assert_ptr_null(lg_draw_classes(rows, NULL, 0, 5, 1, 2, &rng));
    expect_error(LG_E_PARAM, "at least 1, 2 and 2");
    ck_assert_ptr_null(lg_draw_classes(rows, NULL, 0, SIZE_MAX, 2, 2, &rng));
    expect_error(LG_E_MEMORY, "too many");
    ck_assert_int_eq(lg_draw_epoch(NULL, 1), LG_E_PARAM);
    ck_assert_ptr_null(lg_draw_dataset(NULL));
    lg_draw_free(NULL);
    lg_dataset_free(rows);
    lg_dataset_free(subset);
}
END_TEST

static lg_status draw_both(void *context)
{
    lg_rng rng = lg_rng_seed(1);
    lg_draw *pairs = lg_draw_pairs(context, NULL, 0, 10, 0.5, &rng);
    lg_draw *batches = pairs ? lg_draw_classes(context, NULL, 0, 2, 2, 2, &rng) : NULL;
    const lg_status status = batches ? lg_draw_epoch(batches, 1) : lg_error_code();
    lg_draw_free(pairs);
    lg_draw_free(batches);
    return status;
}

START_TEST(running_out_of_memory_is_an_error)
{
    lg_dataset *rows = six();
    ck_assert_uint_gt(for_each_allocation_failure(draw_both, rows), 15);
    lg_dataset_free(rows);
}
END_TEST

Suite *draw_suite(void)
{
    Suite *suite = suite_create("draw");
    TCase *tcase = tcase_create("draw");
    tcase_add_test(tcase, pairs_are_as_likely_as_they_should_be);
    tcase_add_test(tcase, only_the_rows_given_are_drawn);
    tcase_add_test(tcase, an_epoch_depends_on_generator_and_number_alone);
    tcase_add_test(tcase, batches_hold_so_many_rows_of_so_many_classes);
    tcase_add_test(tcase, what_cannot_be_drawn_is_refused);
    tcase_add_test(tcase, running_out_of_memory_is_an_error);
    suite_add_tcase(suite, tcase);
    return suite;
}
