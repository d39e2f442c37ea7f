#include "data/split.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/csv.h"
#include "fail_alloc.h"
#include "scratch.h"

/* Every row is in one part, once, and ids ascend. */
static void assert_partition(const lg_split *split, size_t rows)
{
    unsigned char *seen = calloc(rows, 1);
    const size_t *part[] = { split->train, split->validation, split->test };
    size_t count[] = { split->train_rows, split->validation_rows, split->test_rows };
    ck_assert_uint_eq(count[0] + count[1] + count[2], rows);
    for (size_t p = 0; p < 3; p++)
        for (size_t i = 0; i < count[p]; i++) {
            ck_assert_uint_lt(part[p][i], rows);
            ck_assert_msg(!seen[part[p][i]]++, "row %zu twice", part[p][i]);
            ck_assert(i == 0 || part[p][i] > part[p][i - 1]);
        }
    free(seen);
}

static size_t count_of(const size_t *ids, size_t count, const int32_t *labels, int32_t class)
{
    size_t found = 0;
    for (size_t i = 0; i < count; i++)
        found += labels[ids[i]] == class;
    return found;
}

START_TEST(each_class_keeps_its_proportion_within_one_row)
{
    enum { ROWS = 1000, CLASSES = 7 };
    static const double shares[][2] = { { 0.2, 0.2 }, { 0.1, 0.15 }, { 0.33, 0 }, { 0, 0.25 }, { 0.3, 0.6 } };
    lg_rng rng = lg_rng_seed(5);
    int32_t labels[ROWS];
    size_t sizes[CLASSES] = { 0 };
    for (size_t i = 0; i < ROWS; i++) { /* class c has about twice the rows of class c - 1 */
        labels[i] = (int32_t)floor(log2(1 + 127 * lg_rng_uniform(&rng)));
        sizes[labels[i]]++;
    }
    for (size_t s = 0; s < sizeof shares / sizeof *shares; s++) {
        double validation = shares[s][0], test = shares[s][1], train = 1 - validation - test;
        lg_split *split = lg_split_stratified(ROWS, labels, CLASSES, validation, test, &rng);
        ck_assert_ptr_nonnull(split);
        assert_partition(split, ROWS);
        for (int32_t c = 0; c < CLASSES; c++) {
            double n = (double)sizes[c];
            ck_assert_double_le(fabs((double)count_of(split->train, split->train_rows, labels, c) - train * n), 1);
            ck_assert_double_le(
                fabs((double)count_of(split->validation, split->validation_rows, labels, c) - validation * n), 1);
            ck_assert_double_le(fabs((double)count_of(split->test, split->test_rows, labels, c) - test * n), 1);
        }
        ck_assert_double_le(fabs((double)split->validation_rows - validation * ROWS), 1);
        ck_assert_double_le(fabs((double)split->test_rows - test * ROWS), 1);
        lg_split_free(split);
    }
}
END_TEST

/* 50 classes of 13 rows at a share of 0.2: 2.6 each. Rounding each on its own would make 150 of 130. */
START_TEST(rounding_does_not_add_up_over_classes)
{
    enum { CLASSES = 50, EACH = 13, ROWS = CLASSES * EACH };
    int32_t labels[ROWS];
    for (size_t i = 0; i < ROWS; i++)
        labels[i] = (int32_t)(i % CLASSES);
    lg_rng rng = lg_rng_seed(1);
    lg_split *split = lg_split_stratified(ROWS, labels, CLASSES, 0.2, 0.2, &rng);
    ck_assert_double_le(fabs((double)split->validation_rows - 130), 1);
    ck_assert_double_le(fabs((double)split->test_rows - 130), 1);
    lg_split_free(split);
}
END_TEST

START_TEST(rare_classes_reach_every_part_that_they_can)
{
    enum { ROWS = 106 };
    int32_t labels[ROWS] = { 1, 2, 2, 3, 3, 3 }; /* one row of class 1, two of class 2, three of class 3, 100 of class 0 */
    for (uint64_t seed = 0; seed < 20; seed++) {
        lg_rng rng = lg_rng_seed(seed);
        lg_split *split = lg_split_stratified(ROWS, labels, 4, 0.1, 0.2, &rng);
        assert_partition(split, ROWS);
        ck_assert_uint_eq(count_of(split->train, split->train_rows, labels, 1), 1);
        ck_assert_uint_eq(count_of(split->train, split->train_rows, labels, 2), 1);
        ck_assert_uint_eq(count_of(split->test, split->test_rows, labels, 2), 1);
        ck_assert_uint_eq(count_of(split->train, split->train_rows, labels, 3), 1);
        ck_assert_uint_eq(count_of(split->validation, split->validation_rows, labels, 3), 1);
        ck_assert_uint_eq(count_of(split->test, split->test_rows, labels, 3), 1);
        lg_split_free(split);
    }
}
END_TEST

/* Training keeps a row of each pair whatever the other parts are owed, and these share the rest as 0.6 to 0.4: what they
 * are owed differs by 0.2 a pair, and each row given moves the difference by 1. */
START_TEST(pairs_go_to_training_and_one_other_part)
{
    enum { CLASSES = 40, ROWS = 2 * CLASSES };
    int32_t labels[ROWS];
    for (size_t i = 0; i < ROWS; i++)
        labels[i] = (int32_t)(i / 2);
    lg_rng rng = lg_rng_seed(2);
    lg_split *split = lg_split_stratified(ROWS, labels, CLASSES, 0.2, 0.1, &rng);
    assert_partition(split, ROWS);
    for (int32_t c = 0; c < CLASSES; c++)
        ck_assert_uint_eq(count_of(split->train, split->train_rows, labels, c), 1);
    ck_assert_double_le(fabs((double)split->validation_rows - 24), 1);
    ck_assert_double_le(fabs((double)split->test_rows - 16), 1);
    lg_split_free(split);
}
END_TEST

/* 0.45 of two rows is nearly one each, but training must have one. */
START_TEST(training_keeps_its_row_of_a_pair_that_others_want)
{
    int32_t labels[] = { 0, 0, 1, 1, 2, 2, 3, 3 };
    lg_rng rng = lg_rng_seed(2);
    lg_split *split = lg_split_stratified(8, labels, 4, 0.45, 0.45, &rng);
    for (int32_t c = 0; c < 4; c++)
        ck_assert_uint_eq(count_of(split->train, split->train_rows, labels, c), 1);
    ck_assert_uint_eq(split->validation_rows, 2);
    ck_assert_uint_eq(split->test_rows, 2);
    lg_split_free(split);
}
END_TEST

START_TEST(a_split_depends_on_the_seed_alone)
{
    int32_t labels[60];
    for (size_t i = 0; i < 60; i++)
        labels[i] = (int32_t)(i % 3);
    lg_rng a = lg_rng_seed(9), b = lg_rng_seed(9), c = lg_rng_seed(10);
    lg_split *first = lg_split_stratified(60, labels, 3, 0.2, 0.1, &a);
    lg_split *same = lg_split_stratified(60, labels, 3, 0.2, 0.1, &b);
    lg_split *other = lg_split_stratified(60, labels, 3, 0.2, 0.1, &c);
    ck_assert_uint_eq(first->train_rows, 42);
    ck_assert_mem_eq(first->train, same->train, 42 * sizeof(size_t));
    ck_assert_int_ne(memcmp(first->train, other->train, 42 * sizeof(size_t)), 0);
    lg_split_free(first);
    lg_split_free(same);
    lg_split_free(other);
}
END_TEST

/* Each row is in the test part in a fifth of the splits: 400 of 2000, standard deviation 17.9; five of those. */
START_TEST(a_random_split_favours_no_row)
{
    size_t hits[10] = { 0 };
    lg_rng rng = lg_rng_seed(4);
    for (size_t k = 0; k < 2000; k++) {
        lg_split *split = lg_split_random(10, 0, 0.2, &rng);
        ck_assert_uint_eq(split->test_rows, 2);
        ck_assert_uint_eq(split->validation_rows, 0);
        for (size_t i = 0; i < 2; i++)
            hits[split->test[i]]++;
        lg_split_free(split);
    }
    for (size_t i = 0; i < 10; i++)
        ck_assert_double_le(fabs((double)hits[i] - 400), 90);
}
END_TEST

START_TEST(a_data_set_is_split_by_its_classes_if_it_has_some)
{
    lg_rng rng = lg_rng_seed(42);
    lg_dataset *shuttle =
        lg_dataset_read_csv(data_file("shuttle.csv.gz"), &(lg_csv_options){ .target = "Class", .positive = "Fpv.Open" });
    int32_t *labels = calloc(lg_dataset_rows(shuttle), sizeof *labels);
    ck_assert_int_eq(lg_dataset_labels(shuttle, NULL, 0, labels), LG_OK);
    lg_split *split = lg_split_dataset(shuttle, 0.2, 0.2, &rng);
    assert_partition(split, 58000);
    ck_assert_uint_eq(split->test_rows, 11600);
    ck_assert_uint_eq(count_of(split->test, split->test_rows, labels, 1), 34); /* of 171: 34.2 */
    ck_assert_uint_eq(count_of(split->validation, split->validation_rows, labels, 1), 34);
    lg_split_free(split);
    free(labels);
    lg_dataset_free(shuttle);

    lg_dataset *engel = lg_dataset_read_csv(data_file("engel.csv"), &(lg_csv_options){ .target = "foodexp" });
    split = lg_split_dataset(engel, 0.2, 0, &rng);
    ck_assert_uint_eq(split->validation_rows, 47);
    assert_partition(split, 235);
    lg_split_free(split);
    lg_dataset_free(engel);
}
END_TEST

START_TEST(shares_that_cannot_be_are_refused)
{
    lg_rng rng = lg_rng_seed(1);
    ck_assert_ptr_null(lg_split_random(10, 0.5, 0.5, &rng));
    ck_assert_str_eq(lg_error(), "split: shares 0.5 for validation and 0.5 for test; each is at least 0, and together "
                                 "they are below 1");
    ck_assert_ptr_null(lg_split_random(10, -0.1, 0.5, &rng));
    ck_assert_ptr_null(lg_split_random(10, NAN, 0.5, &rng));
    ck_assert_int_eq(lg_error_code(), LG_E_PARAM);
    ck_assert_ptr_null(lg_split_random(2, 0.1, 0.1, &rng));
    ck_assert_str_eq(lg_error(), "split: 2 rows do not fill training, validation 0.1 and test 0.1");
    ck_assert_ptr_null(lg_split_random(0, 0, 0, &rng));
    ck_assert_ptr_null(lg_split_stratified(2, (int32_t[]){ 0, 2 }, 2, 0.1, 0, &rng));
    ck_assert_str_eq(lg_error(), "split_stratified: labels[1] is 2, but there are 2 classes (0..1)");
    lg_split_free(NULL);
}
END_TEST

START_TEST(one_hot_vectors_have_their_one_at_the_label)
{
    lg_real out[6];
    static const lg_real expected[] = { 0, 0, 1, 1, 0, 0 };
    ck_assert_int_eq(lg_one_hot(2, (int32_t[]){ 2, 0 }, 3, out), LG_OK);
    ck_assert_mem_eq(out, expected, sizeof out);
    ck_assert_int_eq(lg_one_hot(2, (int32_t[]){ 2, 3 }, 3, out), LG_E_INDEX);
    ck_assert_str_eq(lg_error(), "one_hot: label[1] is 3, but there are 3 classes (0..2)");
    ck_assert_int_eq(lg_one_hot(1, (int32_t[]){ -1 }, 3, out), LG_E_INDEX);
}
END_TEST

/* scikit-learn: compute_class_weight("balanced", classes=[0, 1, 3], y=[0, 0, 0, 1, 1, 3]) = 2/3, 1, 2 */
START_TEST(balanced_weights_are_scikit_learns)
{
    lg_real weights[4];
    ck_assert_int_eq(lg_class_weights_balanced(6, (int32_t[]){ 0, 0, 0, 1, 1, 3 }, 4, weights), LG_OK);
    ck_assert_double_eq_tol(weights[0], 2.0 / 3, 1e-7);
    ck_assert_double_eq(weights[1], 1);
    ck_assert_double_eq(weights[2], 0);
    ck_assert_double_eq(weights[3], 2);
    ck_assert_int_eq(lg_class_weights_balanced(1, (int32_t[]){ 4 }, 4, weights), LG_E_INDEX);
    ck_assert_int_eq(lg_class_weights_balanced(0, (int32_t[]){ 4 }, 4, weights), LG_E_PARAM);
}
END_TEST

static bool is_permutation(const size_t *order, size_t rows)
{
    size_t sum = 0, squares = 0;
    for (size_t i = 0; i < rows; i++) {
        sum += order[i];
        squares += order[i] * order[i];
    }
    return sum == rows * (rows - 1) / 2 && squares == (rows - 1) * rows * (2 * rows - 1) / 6;
}

START_TEST(an_epochs_order_depends_on_seed_and_epoch_alone)
{
    enum { ROWS = 50 };
    lg_rng rng = lg_rng_seed(3), rng2 = lg_rng_seed(4);
    lg_sampler *sampler = lg_sampler_new(ROWS, true, &rng), *resumed = lg_sampler_new(ROWS, true, &rng),
               *other = lg_sampler_new(ROWS, true, &rng2);
    size_t first[ROWS];
    memcpy(first, lg_sampler_epoch(sampler, 1), sizeof first);
    ck_assert(is_permutation(first, ROWS));
    fail_alloc_at(0);
    const size_t *second = lg_sampler_epoch(sampler, 2);
    size_t allocations = fail_alloc_count();
    fail_alloc_off();
    ck_assert_uint_eq(allocations, 0);
    ck_assert(is_permutation(second, ROWS));
    ck_assert_int_ne(memcmp(first, second, sizeof first), 0);
    ck_assert_mem_eq(lg_sampler_epoch(resumed, 2), second, sizeof first);
    ck_assert_int_ne(memcmp(lg_sampler_epoch(other, 2), second, sizeof first), 0);
    ck_assert_mem_eq(lg_sampler_epoch(sampler, 1), first, sizeof first);
    lg_sampler_free(sampler);
    lg_sampler_free(resumed);
    lg_sampler_free(other);
}
END_TEST

START_TEST(without_shuffling_rows_come_in_order)
{
    lg_sampler *sampler = lg_sampler_new(3, false, NULL);
    ck_assert_uint_eq(lg_sampler_rows(sampler), 3);
    ck_assert_mem_eq(lg_sampler_epoch(sampler, 5), ((size_t[]){ 0, 1, 2 }), 3 * sizeof(size_t));
    lg_sampler_free(sampler);
    ck_assert_ptr_null(lg_sampler_new(3, true, NULL));
    ck_assert_ptr_null(lg_sampler_epoch(NULL, 0));
    lg_sampler_free(NULL);
}
END_TEST

/* Ten classes of 1 to 10 rows, one that never occurs among them. */
START_TEST(split_by_class_keeps_classes_whole)
{
    int32_t labels[55];
    size_t rows = 0;
    for (int32_t c = 0; c < 10; c++)
        for (int32_t i = 0; i <= c; i++)
            labels[rows++] = c < 4 ? c : c + 1;
    for (uint64_t seed = 0; seed < 20; seed++) {
        lg_rng rng = lg_rng_seed(seed);
        lg_split *split = lg_split_by_class(rows, labels, 11, 0.2, 0.3, &rng);
        const size_t *const ids[] = { split->train, split->validation, split->test };
        const size_t counts[] = { split->train_rows, split->validation_rows, split->test_rows };
        size_t part_of[11] = { 0 }, classes[4] = { 0 };
        for (size_t p = 0; p < 3; p++)
            for (size_t i = 0; i < counts[p]; i++) {
                size_t *part = &part_of[labels[ids[p][i]]];
                ck_assert(*part == 0 || *part == p + 1);
                ck_assert(i == 0 || ids[p][i] > ids[p][i - 1]);
                *part = p + 1;
            }
        for (size_t c = 0; c < 11; c++)
            classes[part_of[c]]++;
        ck_assert_uint_eq(counts[0] + counts[1] + counts[2], rows);
        ck_assert(classes[0] == 1 && classes[1] == 5 && classes[2] == 2 && classes[3] == 3 && part_of[4] == 0);
        lg_split_free(split);
    }
    lg_rng rng = lg_rng_seed(1);
    ck_assert_ptr_null(lg_split_by_class(3, (const int32_t[]){ 0, 0, 1 }, 4, 0.2, 0.3, &rng));
    ck_assert_str_eq(lg_error(), "split_by_class: the rows are of 2 classes, but 3 parts are wanted");
    ck_assert_ptr_null(lg_split_by_class(1, (const int32_t[]){ 4 }, 4, 0, 0, &rng));
    ck_assert_int_eq(lg_error_code(), LG_E_INDEX);
}
END_TEST

static lg_status split_and_sample(void *context)
{
    (void)context;
    lg_rng rng = lg_rng_seed(1);
    int32_t labels[] = { 0, 1, 0, 1, 0, 1 };
    lg_real weights[2];
    lg_split *split = lg_split_stratified(6, labels, 2, 0.34, 0.3, &rng);
    lg_sampler *sampler = split ? lg_sampler_new(6, true, &rng) : NULL;
    lg_status status = sampler ? lg_class_weights_balanced(6, labels, 2, weights) : lg_error_code();
    lg_split *by_class = status == LG_OK ? lg_split_by_class(6, labels, 2, 0.4, 0, &rng) : NULL;
    status = status == LG_OK && !by_class ? lg_error_code() : status;
    lg_split_free(by_class);
    lg_sampler_free(sampler);
    lg_split_free(split);
    return status;
}

START_TEST(any_allocation_of_a_split_may_fail)
{
    ck_assert_uint_ge(for_each_allocation_failure(split_and_sample, NULL), 11);
}
END_TEST

Suite *split_suite(void)
{
    Suite *suite = suite_create("split");
    TCase *tcase = tcase_create("split");
    tcase_add_test(tcase, each_class_keeps_its_proportion_within_one_row);
    tcase_add_test(tcase, rounding_does_not_add_up_over_classes);
    tcase_add_test(tcase, rare_classes_reach_every_part_that_they_can);
    tcase_add_test(tcase, pairs_go_to_training_and_one_other_part);
    tcase_add_test(tcase, training_keeps_its_row_of_a_pair_that_others_want);
    tcase_add_test(tcase, a_split_depends_on_the_seed_alone);
    tcase_add_test(tcase, a_random_split_favours_no_row);
    tcase_add_test(tcase, a_data_set_is_split_by_its_classes_if_it_has_some);
    tcase_add_test(tcase, split_by_class_keeps_classes_whole);
    tcase_add_test(tcase, shares_that_cannot_be_are_refused);
    tcase_add_test(tcase, one_hot_vectors_have_their_one_at_the_label);
    tcase_add_test(tcase, balanced_weights_are_scikit_learns);
    tcase_add_test(tcase, an_epochs_order_depends_on_seed_and_epoch_alone);
    tcase_add_test(tcase, without_shuffling_rows_come_in_order);
    tcase_add_test(tcase, any_allocation_of_a_split_may_fail);
    suite_add_tcase(suite, tcase);
    return suite;
}
