#include "data/batch_internal.h"

#include <check.h>
#include <string.h>

#include "fail_alloc.h"

/* x[i][j] = 10 i + j, y[i] = 100 + i: every value says where it is from. */
enum { ROWS = 6, COLUMNS = 3 };

static lg_dataset *numbered(void)
{
    lg_real x[ROWS * COLUMNS], y[ROWS];
    for (size_t i = 0; i < ROWS; i++) {
        y[i] = (lg_real)(100 + i);
        for (size_t j = 0; j < COLUMNS; j++)
            x[i * COLUMNS + j] = (lg_real)(10 * i + j);
    }
    return lg_dataset_from_arrays(ROWS, COLUMNS, x, y);
}

static void assert_rows(const lg_batch *batch, const size_t *rows, size_t count)
{
    const lg_real *x = lg_batch_values(batch, "x"), *y = lg_batch_values(batch, "y");
    ck_assert_uint_eq(lg_batch_rows(batch), count);
    for (size_t i = 0; i < count; i++) {
        ck_assert_double_eq(y[i], 100.0 + (double)rows[i]);
        for (size_t j = 0; j < COLUMNS; j++)
            ck_assert_double_eq(x[i * COLUMNS + j], 10.0 * (double)rows[i] + (double)j);
    }
}

START_TEST(arrays_become_x_and_y)
{
    lg_dataset *dataset = numbered();
    ck_assert_uint_eq(lg_dataset_rows(dataset), ROWS);
    ck_assert_uint_eq(lg_dataset_features(dataset), COLUMNS);
    ck_assert_uint_eq(lg_dataset_field_count(dataset), 2);
    ck_assert_str_eq(lg_dataset_field_at(dataset, 0)->name, "x");
    ck_assert_ptr_null(lg_dataset_field_at(dataset, 2));
    ck_assert_ptr_null(lg_dataset_field(dataset, "z"));
    ck_assert_uint_eq(lg_dataset_field(dataset, "y")->rank, 0);
    ck_assert_uint_eq(lg_dataset_classes(dataset), 0);
    ck_assert_double_eq(lg_dataset_values(dataset, "x")[5 * COLUMNS + 2], 52);
    ck_assert_ptr_null(lg_dataset_indices(dataset, "x"));
    lg_dataset_free(dataset);
}
END_TEST

START_TEST(consecutive_rows_are_views)
{
    lg_dataset *dataset = numbered();
    lg_batch *batch = lg_batch_new(dataset, 4);
    size_t ids[] = { 1, 2, 3 };
    ck_assert_int_eq(lg_batch_fill(batch, ids, 3), LG_OK);
    assert_rows(batch, ids, 3);
    ck_assert_ptr_eq(lg_batch_values(batch, "x"), lg_dataset_values(dataset, "x") + COLUMNS);
    lg_batch_free(batch);
    lg_dataset_free(dataset);
}
END_TEST

START_TEST(scattered_rows_are_gathered)
{
    lg_dataset *dataset = numbered();
    lg_batch *batch = lg_batch_new(dataset, 4);
    size_t ids[] = { 5, 0, 3, 3 };
    ck_assert_int_eq(lg_batch_fill(batch, ids, 4), LG_OK);
    assert_rows(batch, ids, 4);
    ck_assert_uint_eq(lg_batch_ids(batch)[0], 5);
    lg_batch_free(batch);
    lg_dataset_free(dataset);
}
END_TEST

START_TEST(a_batch_is_empty_at_first_and_after_a_failure)
{
    lg_dataset *dataset = numbered();
    lg_batch *batch = lg_batch_new(dataset, 4);
    ck_assert_uint_eq(lg_batch_rows(batch), 0);
    ck_assert_int_eq(lg_batch_fill(batch, (size_t[]){ 0, 1 }, 2), LG_OK);
    ck_assert_int_eq(lg_batch_fill(batch, (size_t[]){ 0, 6 }, 2), LG_E_INDEX);
    ck_assert_str_eq(lg_error(), "batch: ids[1] is 6, but the data set has 6 rows");
    ck_assert_uint_eq(lg_batch_rows(batch), 0);
    ck_assert_int_eq(lg_batch_fill(batch, (size_t[]){ 0, 1, 2, 3, 4 }, 5), LG_E_PARAM);
    ck_assert_str_eq(lg_error(), "batch_fill: 5 rows; the batch was made for at most 4");
    ck_assert_int_eq(lg_batch_fill(batch, NULL, 0), LG_OK);
    ck_assert_uint_eq(lg_batch_rows(batch), 0);
    lg_batch_free(batch);
    lg_dataset_free(dataset);
}
END_TEST

START_TEST(filling_allocates_nothing)
{
    lg_dataset *dataset = numbered();
    lg_dataset *part = lg_dataset_subset(dataset, (size_t[]){ 4, 2, 3 }, 3);
    lg_batch *batch = lg_batch_new(part, 3);
    fail_alloc_at(0);
    lg_status gathered = lg_batch_fill(batch, (size_t[]){ 0, 2 }, 2), viewed = lg_batch_fill(batch, (size_t[]){ 1, 2 }, 2);
    size_t allocations = fail_alloc_count();
    fail_alloc_off();
    ck_assert_int_eq(gathered, LG_OK);
    ck_assert_int_eq(viewed, LG_OK);
    ck_assert_uint_eq(allocations, 0);
    lg_batch_free(batch);
    lg_dataset_free(part);
    lg_dataset_free(dataset);
}
END_TEST

START_TEST(a_subset_shows_its_rows_and_outlives_the_handle_of_its_parent)
{
    lg_dataset *dataset = numbered();
    lg_dataset *odd = lg_dataset_subset(dataset, (size_t[]){ 1, 3, 5, 4 }, 4);
    lg_dataset *inner = lg_dataset_subset(odd, (size_t[]){ 2, 3, 0 }, 3);
    lg_dataset_free(dataset);
    lg_dataset_free(odd);
    lg_batch *batch = lg_batch_new(inner, 3);
    lg_dataset_free(inner);
    ck_assert_int_eq(lg_batch_fill(batch, (size_t[]){ 0, 1, 2 }, 3), LG_OK);
    assert_rows(batch, (size_t[]){ 5, 4, 1 }, 3);
    lg_batch_free(batch);
}
END_TEST

START_TEST(consecutive_rows_of_a_subset_are_views_too)
{
    lg_dataset *dataset = numbered();
    lg_dataset *part = lg_dataset_subset(dataset, (size_t[]){ 0, 3, 4, 5 }, 4);
    lg_batch *batch = lg_batch_new(part, 3);
    ck_assert_int_eq(lg_batch_fill(batch, (size_t[]){ 1, 2, 3 }, 3), LG_OK);
    ck_assert_ptr_eq(lg_batch_values(batch, "y"), lg_dataset_values(dataset, "y") + 3);
    ck_assert_ptr_null(lg_dataset_values(part, "y"));
    lg_dataset *tail = lg_dataset_subset(part, (size_t[]){ 1, 2, 3 }, 3);
    ck_assert_ptr_eq(lg_dataset_values(tail, "y"), lg_dataset_values(dataset, "y") + 3);
    lg_dataset_free(tail);
    lg_batch_free(batch);
    lg_dataset_free(part);
    lg_dataset_free(dataset);
}
END_TEST

START_TEST(ragged_rows_are_padded_to_the_longest_of_the_batch)
{
    lg_dataset *dataset = lg_dataset_new(4);
    int32_t lengths[] = { 2, 0, 3, 1 }, steps[] = { 11, 12, 31, 32, 33, 41 };
    lg_field text = { .name = "text", .dtype = LG_INT32, .ragged = true };
    lg_real ids[] = { 0, 1, 2, 3 };
    ck_assert_int_eq(lg_dataset_add_field(dataset, &text, steps, lengths), LG_OK);
    ck_assert_int_eq(lg_dataset_add_field(dataset, &(lg_field){ .name = "id" }, ids, NULL), LG_OK);
    ck_assert_uint_eq(lg_dataset_field(dataset, "text")->max_length, 3);

    lg_batch *batch = lg_batch_new(dataset, 4);
    ck_assert_int_eq(lg_batch_fill(batch, (size_t[]){ 2, 3, 1 }, 3), LG_OK);
    ck_assert_uint_eq(lg_batch_longest(batch, "text"), 3);
    ck_assert_mem_eq(lg_batch_indices(batch, "text"), ((int32_t[]){ 31, 32, 33, 41, 0, 0, 0, 0, 0 }), 36);
    ck_assert_mem_eq(lg_batch_lengths(batch, "text"), ((int32_t[]){ 3, 1, 0 }), 12);

    ck_assert_int_eq(lg_batch_fill(batch, (size_t[]){ 0, 1 }, 2), LG_OK);
    ck_assert_uint_eq(lg_batch_longest(batch, "text"), 2);
    ck_assert_mem_eq(lg_batch_indices(batch, "text"), ((int32_t[]){ 11, 12, 0, 0 }), 16);
    ck_assert_ptr_eq(lg_batch_values(batch, "id"), lg_dataset_values(dataset, "id"));

    ck_assert_int_eq(lg_batch_fill(batch, (size_t[]){ 1 }, 1), LG_OK);
    ck_assert_uint_eq(lg_batch_longest(batch, "text"), 0);
    ck_assert_ptr_null(lg_batch_lengths(batch, "id"));
    lg_batch_free(batch);
    lg_dataset_free(dataset);
}
END_TEST

START_TEST(ragged_rows_of_vectors_keep_their_steps_together)
{
    lg_dataset *dataset = lg_dataset_new(2);
    lg_real steps[] = { 1, 2, 3, 4, 5, 6 };
    lg_field sound = { .name = "x", .ragged = true, .rank = 1, .dims = { 2 } };
    ck_assert_int_eq(lg_dataset_add_field(dataset, &sound, steps, (int32_t[]){ 1, 2 }), LG_OK);
    lg_batch *batch = lg_batch_new(dataset, 2);
    ck_assert_int_eq(lg_batch_fill(batch, (size_t[]){ 1, 0 }, 2), LG_OK);
    const lg_real *x = lg_batch_values(batch, "x"), expected[] = { 3, 4, 5, 6, 1, 2, 0, 0 };
    for (size_t k = 0; k < 8; k++)
        ck_assert_double_eq(x[k], expected[k]);
    lg_batch_free(batch);
    lg_dataset_free(dataset);
}
END_TEST

/* A source that computes its rows: squares and a ragged count-down. */
typedef struct {
    size_t calls, freed;
    lg_status answer;
} squares;

static lg_status fill_squares(void *context, const size_t *ids, size_t count, void *const *values,
                              int32_t *const *lengths)
{
    squares *state = context;
    state->calls++;
    for (size_t i = 0; i < count; i++) {
        ((lg_real *)values[0])[i] = (lg_real)(ids[i] * ids[i]);
        lengths[1][i] = (int32_t)ids[i];
        for (size_t k = 0; k < ids[i] && k < 3; k++)
            ((int32_t *)values[1])[3 * i + k] = (int32_t)(ids[i] - k);
    }
    return state->answer;
}

static void free_squares(void *context)
{
    ((squares *)context)->freed++;
}

static lg_dataset *square_source(squares *state)
{
    lg_field fields[] = { { .name = "x" }, { .name = "down", .dtype = LG_INT32, .ragged = true, .max_length = 3 } };
    return lg_dataset_from_source(&(lg_source){ .rows = 10, .field_count = 2, .fields = fields, .context = state,
                                                .fill = fill_squares, .free = free_squares });
}

START_TEST(a_source_of_ones_own_fills_batches_and_is_freed_once)
{
    squares state = { 0 };
    lg_dataset *dataset = square_source(&state);
    lg_dataset *part = lg_dataset_subset(dataset, (size_t[]){ 9, 3, 2, 1 }, 4);
    lg_batch *batch = lg_batch_new(part, 3);
    lg_dataset_free(dataset);
    ck_assert_int_eq(lg_batch_fill(batch, (size_t[]){ 3, 2 }, 2), LG_OK);
    ck_assert_double_eq(lg_batch_values(batch, "x")[0], 1);
    ck_assert_double_eq(lg_batch_values(batch, "x")[1], 4);
    ck_assert_mem_eq(lg_batch_indices(batch, "down"), ((int32_t[]){ 1, 0, 2, 1 }), 16);

    ck_assert_int_eq(lg_batch_fill(batch, (size_t[]){ 0 }, 1), LG_E_DOMAIN);
    ck_assert_str_eq(lg_error(), "batch: row 0 of field \"down\" has length 9; 0 .. 3 are possible");
    lg_error_clear();
    state.answer = LG_E_IO;
    ck_assert_int_eq(lg_batch_fill(batch, (size_t[]){ 2 }, 1), LG_E_IO);
    ck_assert_str_eq(lg_error(), "batch: the source could not fill 1 rows");
    ck_assert_uint_eq(state.calls, 3);
    ck_assert_ptr_null(lg_dataset_values(part, "x"));
    lg_dataset_free(part);
    ck_assert_uint_eq(state.freed, 0);
    lg_batch_free(batch);
    ck_assert_uint_eq(state.freed, 1);
}
END_TEST

START_TEST(a_refused_source_stays_the_callers)
{
    squares state = { 0 };
    lg_field twice[] = { { .name = "x" }, { .name = "x" } };
    ck_assert_ptr_null(lg_dataset_from_source(&(lg_source){ .rows = 1, .field_count = 2, .fields = twice,
                                                            .context = &state, .fill = fill_squares,
                                                            .free = free_squares }));
    ck_assert_str_eq(lg_error(), "dataset: there is a field \"x\" already");
    ck_assert_uint_eq(state.freed, 0);
}
END_TEST

START_TEST(classes_are_checked_named_and_shared_with_subsets)
{
    lg_real x[] = { 1, 2, 3 };
    lg_dataset *dataset = lg_dataset_from_classes(3, 1, x, (int32_t[]){ 2, 0, 1 }, 3);
    ck_assert_uint_eq(lg_dataset_classes(dataset), 3);
    ck_assert_str_eq(lg_dataset_class_name(dataset, 2), "2");
    const char *names[] = { "setosa", "versicolor", "virginica" };
    ck_assert_int_eq(lg_dataset_set_class_names(dataset, 3, names), LG_OK);
    lg_dataset *part = lg_dataset_subset(dataset, (size_t[]){ 0 }, 1);
    ck_assert_str_eq(lg_dataset_class_name(part, 2), "virginica");
    ck_assert_ptr_null(lg_dataset_class_name(part, 3));
    ck_assert_int_eq(lg_dataset_indices(part, "y")[0], 2);
    lg_dataset_free(part);
    lg_dataset_free(dataset);

    ck_assert_ptr_null(lg_dataset_from_classes(3, 1, x, (int32_t[]){ 2, 0, 3 }, 3));
    ck_assert_str_eq(lg_error(), "dataset_from_classes: y[2] is 3, but there are 3 classes (0..2)");
    ck_assert_int_eq(lg_error_code(), LG_E_INDEX);
}
END_TEST

START_TEST(labels_come_from_classes_and_from_zeros_and_ones)
{
    lg_real x[] = { 0, 0, 0, 0 }, y[] = { 0, 1, 1, 0 };
    int32_t labels[4];
    lg_dataset *binary = lg_dataset_from_arrays(4, 1, x, y);
    ck_assert_int_eq(lg_dataset_labels(binary, NULL, 0, labels), LG_OK);
    ck_assert_mem_eq(labels, ((int32_t[]){ 0, 1, 1, 0 }), 16);
    lg_dataset_values(binary, "y")[3] = (lg_real)0.5;
    ck_assert_int_eq(lg_dataset_labels(binary, NULL, 0, labels), LG_E_DOMAIN);
    ck_assert_str_eq(lg_error(), "dataset_labels: y of row 3 is 0.5, neither 0 nor 1");
    lg_dataset_free(binary);

    lg_dataset *many = lg_dataset_from_classes(4, 1, x, (int32_t[]){ 3, 1, 2, 0 }, 4);
    ck_assert_int_eq(lg_dataset_labels(many, (size_t[]){ 2, 0 }, 2, labels), LG_OK);
    ck_assert_int_eq(labels[0], 2);
    ck_assert_int_eq(labels[1], 3);
    lg_dataset_free(many);
}
END_TEST

START_TEST(names_have_to_fit)
{
    lg_dataset *dataset = numbered();
    const char *names[] = { "a", "b", "c" };
    ck_assert_ptr_null(lg_dataset_feature_name(dataset, 0));
    ck_assert_int_eq(lg_dataset_set_feature_names(dataset, 2, names), LG_E_SHAPE);
    ck_assert_str_eq(lg_error(), "dataset_set_feature_names: 2 names for 3 features");
    ck_assert_int_eq(lg_dataset_set_feature_names(dataset, 3, names), LG_OK);
    ck_assert_str_eq(lg_dataset_feature_name(dataset, 2), "c");
    ck_assert_ptr_null(lg_dataset_feature_name(dataset, 3));
    ck_assert_int_eq(lg_dataset_set_class_names(dataset, 3, names), LG_E_PARAM);
    ck_assert_int_eq(lg_dataset_set_class_names(dataset, 2, names), LG_OK);
    ck_assert_uint_eq(lg_dataset_classes(dataset), 2);
    lg_dataset_free(dataset);
}
END_TEST

START_TEST(fields_that_cannot_be_are_refused)
{
    lg_dataset *dataset = numbered();
    lg_real values[ROWS] = { 0 };
    lg_field flat = { .name = "z", .rank = 1, .dims = { 0 } }, deep = { .name = "z", .rank = 4 };
    lg_field huge = { .name = "z", .rank = 2, .dims = { SIZE_MAX / 2, 4 } }, odd = { .name = "z", .ragged = true };
    ck_assert_int_eq(lg_dataset_add_field(dataset, &flat, values, NULL), LG_E_SHAPE);
    ck_assert_int_eq(lg_dataset_add_field(dataset, &deep, values, NULL), LG_E_SHAPE);
    ck_assert_int_eq(lg_dataset_add_field(dataset, &huge, values, NULL), LG_E_SHAPE);
    ck_assert_int_eq(lg_dataset_add_field(dataset, &(lg_field){ .name = "x" }, values, NULL), LG_E_PARAM);
    ck_assert_int_eq(lg_dataset_add_field(dataset, &odd, values, (int32_t[ROWS]){ 1, -1 }), LG_E_PARAM);
    ck_assert_str_eq(lg_error(), "dataset_add_field: field \"z\": lengths[1] is -1");
    ck_assert_uint_eq(lg_dataset_field_count(dataset), 2);
    lg_dataset *part = lg_dataset_subset(dataset, (size_t[]){ 0 }, 1);
    ck_assert_int_eq(lg_dataset_add_field(part, &(lg_field){ .name = "z" }, values, NULL), LG_E_STATE);
    lg_dataset_free(part);
    lg_dataset_free(dataset);
}
END_TEST

START_TEST(null_is_harmless_and_keeps_the_first_message)
{
    lg_fail(LG_E_IO, "first");
    ck_assert_ptr_null(lg_batch_new(NULL, 1));
    ck_assert_ptr_null(lg_dataset_subset(NULL, (size_t[]){ 0 }, 1));
    ck_assert_ptr_null(lg_dataset_from_arrays(1, 1, NULL, NULL));
    ck_assert_int_eq(lg_batch_fill(NULL, NULL, 0), LG_E_IO);
    ck_assert_str_eq(lg_error(), "first");
    lg_dataset_free(NULL);
    lg_batch_free(NULL);
    ck_assert_uint_eq(lg_dataset_rows(NULL), 0);
    ck_assert_uint_eq(lg_dataset_classes(NULL), 0);
    ck_assert_ptr_null(lg_dataset_values(NULL, "x"));
    ck_assert_ptr_null(lg_batch_values(NULL, "x"));
}
END_TEST

static lg_status everything(void *context)
{
    (void)context;
    lg_real x[] = { 1, 2, 3, 4 };
    int32_t labels[2];
    lg_dataset *dataset = lg_dataset_from_classes(2, 2, x, (int32_t[]){ 0, 1 }, 2), *part = NULL;
    lg_batch *batch = NULL;
    lg_status status = dataset ? LG_OK : lg_error_code();
    lg_field ragged = { .name = "r", .ragged = true };
    if (status == LG_OK)
        status = lg_dataset_add_field(dataset, &ragged, x, (int32_t[]){ 3, 1 });
    if (status == LG_OK)
        status = lg_dataset_set_feature_names(dataset, 2, (const char *[]){ "a", "b" });
    if (status == LG_OK && !(part = lg_dataset_subset(dataset, (size_t[]){ 1 }, 1)))
        status = lg_error_code();
    if (status == LG_OK && !(batch = lg_batch_new(part, 2)))
        status = lg_error_code();
    if (status == LG_OK)
        status = lg_batch_fill(batch, (size_t[]){ 0 }, 1);
    if (status == LG_OK)
        status = lg_dataset_labels(dataset, NULL, 0, labels);
    lg_batch_free(batch);
    lg_dataset_free(part);
    lg_dataset_free(dataset);
    return status;
}

START_TEST(any_allocation_may_fail)
{
    ck_assert_uint_ge(for_each_allocation_failure(everything, NULL), 20);
}
END_TEST

Suite *dataset_suite(void)
{
    Suite *suite = suite_create("dataset");
    TCase *tcase = tcase_create("dataset");
    tcase_add_test(tcase, arrays_become_x_and_y);
    tcase_add_test(tcase, consecutive_rows_are_views);
    tcase_add_test(tcase, scattered_rows_are_gathered);
    tcase_add_test(tcase, a_batch_is_empty_at_first_and_after_a_failure);
    tcase_add_test(tcase, filling_allocates_nothing);
    tcase_add_test(tcase, a_subset_shows_its_rows_and_outlives_the_handle_of_its_parent);
    tcase_add_test(tcase, consecutive_rows_of_a_subset_are_views_too);
    tcase_add_test(tcase, ragged_rows_are_padded_to_the_longest_of_the_batch);
    tcase_add_test(tcase, ragged_rows_of_vectors_keep_their_steps_together);
    tcase_add_test(tcase, a_source_of_ones_own_fills_batches_and_is_freed_once);
    tcase_add_test(tcase, a_refused_source_stays_the_callers);
    tcase_add_test(tcase, classes_are_checked_named_and_shared_with_subsets);
    tcase_add_test(tcase, labels_come_from_classes_and_from_zeros_and_ones);
    tcase_add_test(tcase, names_have_to_fit);
    tcase_add_test(tcase, fields_that_cannot_be_are_refused);
    tcase_add_test(tcase, null_is_harmless_and_keeps_the_first_message);
    tcase_add_test(tcase, any_allocation_may_fail);
    suite_add_tcase(suite, tcase);
    return suite;
}
