#include "autograd/params_internal.h"

#include "autograd/ops.h"
#include "autograd/tape.h"
#include "fail_alloc.h"

#include <check.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void expect_error(lg_status code, const char *part)
{
    ck_assert_int_eq(lg_error_code(), code);
    ck_assert_msg(strstr(lg_error(), part) != NULL, "\"%s\" does not say \"%s\"", lg_error(), part);
    lg_error_clear();
}

/* a [3], b [2, 2] and c [1], with values 1, 2, 3, ... */
static lg_params *three_tensors(void)
{
    lg_params *params = lg_params_new();
    ck_assert_ptr_nonnull(lg_params_add(params, "a", LG_SHAPE(3)));
    ck_assert_ptr_nonnull(lg_params_add(params, "b", LG_SHAPE(2, 2)));
    ck_assert_ptr_nonnull(lg_params_add(params, "c", LG_SHAPE(1)));
    int next = 1;
    for (size_t i = 0; i < 3; i++)
        for (size_t k = 0; k < lg_tensor_size(lg_params_at(params, i)); k++)
            lg_tensor_data(lg_params_at(params, i))[k] = (lg_real)next++;
    return params;
}

static lg_real *gradient_of(lg_params *params, size_t i)
{
    return lg_params_block(params).gradients + lg_params_offset(params, i);
}

/* Gradients 3, 0, 4 | 0, 0, 0, 0 | 12: their norm is 13. */
static void set_gradients(lg_params *params)
{
    lg_block block = lg_params_block(params);
    memset(block.gradients, 0, block.length * sizeof *block.gradients);
    gradient_of(params, 0)[0] = 3;
    gradient_of(params, 0)[2] = 4;
    gradient_of(params, 2)[0] = 12;
}

/* ------------------------------------------------------------ the tensors */

START_TEST(tensors_are_found_by_name_and_place)
{
    lg_params *params = three_tensors();
    ck_assert_uint_eq(lg_params_count(params), 3);
    ck_assert_uint_eq(lg_params_size(params), 8);
    const char *names[] = { "a", "b", "c" };
    for (size_t i = 0; i < COUNT(names); i++) {
        ck_assert_str_eq(lg_params_name(params, i), names[i]);
        ck_assert_ptr_eq(lg_params_find(params, names[i]), lg_params_at(params, i));
        ck_assert(lg_tensor_requires_grad(lg_params_at(params, i)));
    }
    ck_assert_ptr_null(lg_params_at(params, 3));
    ck_assert_ptr_null(lg_params_name(params, 3));
    ck_assert_ptr_nonnull(lg_params_add(params, "hidden.weight", LG_SHAPE(1)));
    ck_assert_ptr_null(lg_params_find(params, "hiden.weight"));
    expect_error(LG_E_PARAM, "no parameter \"hiden.weight\", did you mean \"hidden.weight\"?");
    ck_assert_ptr_null(lg_params_find(params, "quite another"));
    expect_error(LG_E_PARAM, "no parameter \"quite another\"");
    lg_params_free(params);
}
END_TEST

START_TEST(headers_stay_and_values_move_along_when_the_set_grows)
{
    lg_params *params = lg_params_new();
    lg_tensor *first = lg_params_add(params, "first", LG_SHAPE(5));
    for (size_t i = 0; i < 5; i++) {
        lg_tensor_data(first)[i] = (lg_real)i;
        gradient_of(params, 0)[i] = (lg_real)(10 * i);
    }
    for (int k = 0; k < 40; k++) {
        char name[16];
        snprintf(name, sizeof name, "more.%d", k);
        lg_tensor *more = lg_params_add(params, name, LG_SHAPE((size_t)k));
        ck_assert_ptr_nonnull(more);
        for (size_t i = 0; i < (size_t)k; i++)
            ck_assert(lg_tensor_data(more)[i] == 0);
    }
    ck_assert_ptr_eq(lg_params_at(params, 0), first);
    for (size_t i = 0; i < 5; i++) {
        ck_assert(lg_tensor_data(first)[i] == (lg_real)i);
        ck_assert(lg_tensor_grad(first)[i] == (lg_real)(10 * i));
    }
    ck_assert_uint_eq(lg_params_size(params), 5 + 39 * 40 / 2);
    lg_params_free(params);
}
END_TEST

/* 64-byte pieces, in order, in one block of values and one of gradients. */
START_TEST(a_set_is_one_block_of_aligned_pieces)
{
    lg_params *params = three_tensors();
    lg_block block = lg_params_block(params);
    ck_assert_uint_eq(block.length, lg_params_length(params));
    ck_assert_uint_eq(block.length, 3 * 64 / sizeof(lg_real));
    for (size_t i = 0; i < 3; i++) {
        ck_assert_uint_eq(lg_params_offset(params, i), i * 64 / sizeof(lg_real));
        ck_assert_ptr_eq(lg_tensor_data(lg_params_at(params, i)), block.values + lg_params_offset(params, i));
        ck_assert_ptr_eq(lg_tensor_grad(lg_params_at(params, i)), block.gradients + lg_params_offset(params, i));
        ck_assert_uint_eq((uintptr_t)lg_tensor_data(lg_params_at(params, i)) % 64, 0);
    }
    lg_params_free(params);
}
END_TEST

START_TEST(names_are_unique_and_bounded)
{
    lg_params *params = three_tensors();
    ck_assert_ptr_null(lg_params_add(params, "b", LG_SHAPE(1)));
    expect_error(LG_E_PARAM, "\"b\" already");
    ck_assert_ptr_null(lg_params_add(params, "", LG_SHAPE(1)));
    expect_error(LG_E_PARAM, "1 to 127 bytes");
    ck_assert_ptr_null(lg_params_add(params, NULL, LG_SHAPE(1)));
    expect_error(LG_E_PARAM, "1 to 127 bytes");
    char name[129] = { 0 };
    memset(name, 'n', 128);
    ck_assert_ptr_null(lg_params_add(params, name, LG_SHAPE(1)));
    expect_error(LG_E_PARAM, "1 to 127 bytes");
    name[127] = '\0';
    ck_assert_ptr_nonnull(lg_params_add(params, name, LG_SHAPE(1)));
    ck_assert_str_eq(lg_params_name(params, 3), name);
    lg_params_free(params);
}
END_TEST

START_TEST(shapes_that_cannot_be_are_refused_and_change_nothing)
{
    lg_params *params = three_tensors();
    ck_assert_ptr_null(lg_params_add(params, "huge", LG_SHAPE(SIZE_MAX / 2, 4)));
    expect_error(LG_E_SHAPE, "lg_params_add");
    ck_assert_ptr_null(lg_params_add(params, "deep", LG_SHAPE(1, 1, 1, 1, 1)));
    expect_error(LG_E_SHAPE, "lg_params_add");
    ck_assert_ptr_null(lg_params_add(params, "many", LG_SHAPE((size_t)1 << 50)));
    expect_error(LG_E_MEMORY, "lg_params_add");
    ck_assert_uint_eq(lg_params_count(params), 3);
    ck_assert_double_eq((double)lg_tensor_data(lg_params_find(params, "c"))[0], 8);
    lg_tensor *empty = lg_params_add(params, "empty", LG_SHAPE(0, 7));
    ck_assert_ptr_nonnull(empty);
    ck_assert_uint_eq(lg_params_size(params), 8);
    lg_params_free(params);
}
END_TEST

START_TEST(shrinking_takes_back_the_last_tensors)
{
    lg_params *params = three_tensors();
    set_gradients(params);
    lg_params_shrink(params, 1);
    ck_assert_uint_eq(lg_params_count(params), 1);
    ck_assert_uint_eq(lg_params_size(params), 3);
    ck_assert_uint_eq(lg_params_length(params), 64 / sizeof(lg_real));
    lg_tensor *b = lg_params_add(params, "b", LG_SHAPE(30)); /* its place held other values */
    for (size_t i = 0; i < 30; i++)
        ck_assert(lg_tensor_data(b)[i] == 0 && gradient_of(params, 1)[i] == 0);
    ck_assert_double_eq((double)lg_tensor_data(lg_params_at(params, 0))[2], 3);
    ck_assert_double_eq((double)gradient_of(params, 0)[2], 4);
    lg_params_free(params);
}
END_TEST

static char freed[8];

static void note_free(void *object)
{
    strcat(freed, object);
}

START_TEST(owned_objects_are_freed_with_the_set_last_first)
{
    char first[] = "1", second[] = "2", third[] = "3";
    freed[0] = '\0';
    lg_params *params = lg_params_new();
    ck_assert_int_eq(lg_params_own(params, first, note_free), LG_OK);
    ck_assert_int_eq(lg_params_own(params, second, note_free), LG_OK);
    ck_assert_int_eq(lg_params_own(params, third, note_free), LG_OK);
    ck_assert_str_eq(freed, "");
    lg_params_hold(params);
    lg_params_free(params);
    ck_assert_str_eq(freed, ""); /* an optimizer still holds it */
    lg_params_release(params);
    ck_assert_str_eq(freed, "321");
}
END_TEST

START_TEST(nothing_is_added_while_the_set_is_held)
{
    lg_params *params = three_tensors();
    lg_params_hold(params);
    lg_params_hold(params);
    lg_params_release(params);
    ck_assert_ptr_null(lg_params_add(params, "late", LG_SHAPE(1)));
    expect_error(LG_E_STATE, "\"late\" comes after an optimizer of this set was made; add layers first");
    lg_params_release(params);
    ck_assert_ptr_nonnull(lg_params_add(params, "late", LG_SHAPE(1)));
    lg_params_free(params);
}
END_TEST

/* -------------------------------------------------------------- gradients */

START_TEST(the_norm_is_that_of_all_gradients_together)
{
    lg_params *params = three_tensors();
    ck_assert_double_eq(lg_params_grad_norm(params), 0); /* none yet */
    set_gradients(params);
    ck_assert_double_eq(lg_params_grad_norm(params), 13);
    lg_tensor_zero_grad(lg_params_at(params, 0));
    ck_assert_double_eq(lg_params_grad_norm(params), 12);
    set_gradients(params);
    ck_assert_int_eq(lg_tensor_require_grad(lg_params_at(params, 2), false), LG_OK);
    ck_assert_double_eq(lg_params_grad_norm(params), 5); /* frozen: not counted */
    lg_params_zero_grad(params);
    ck_assert_double_eq(lg_params_grad_norm(params), 0);
    lg_params_free(params);
}
END_TEST

/* Squares of 1e25 overflow a float: 1000 of them have the norm 1e25 sqrt(1000). */
START_TEST(the_norm_is_summed_in_double)
{
    lg_params *params = lg_params_new();
    ck_assert_ptr_nonnull(lg_params_add(params, "p", LG_SHAPE(1000)));
    for (size_t i = 0; i < 1000; i++)
        gradient_of(params, 0)[i] = (lg_real)1e25;
    ck_assert_double_eq_tol(lg_params_grad_norm(params) / (1e25 * sqrt(1000)), 1, 1e-6);
    lg_params_free(params);
}
END_TEST

START_TEST(clip_norm_scales_to_the_bound_and_only_when_above)
{
    lg_params *params = three_tensors();
    set_gradients(params);
    ck_assert_double_eq(lg_params_clip_norm(params, 13), 13);
    ck_assert_double_eq((double)gradient_of(params, 0)[0], 3);
    ck_assert_double_eq(lg_params_clip_norm(params, 2.6), 13);
    ck_assert_double_eq_tol((double)gradient_of(params, 0)[0], 0.6, 1e-6);
    ck_assert_double_eq_tol((double)gradient_of(params, 0)[2], 0.8, 1e-6);
    ck_assert_double_eq_tol((double)gradient_of(params, 2)[0], 2.4, 1e-6);
    ck_assert_double_eq_tol(lg_params_grad_norm(params), 2.6, 1e-6);
    lg_params_free(params);
}
END_TEST

START_TEST(clip_norm_leaves_what_is_not_finite)
{
    lg_params *params = three_tensors();
    const double bad[] = { (double)NAN, (double)INFINITY };
    for (size_t i = 0; i < COUNT(bad); i++) {
        set_gradients(params);
        gradient_of(params, 1)[0] = (lg_real)bad[i];
        ck_assert(!isfinite(lg_params_clip_norm(params, 1)));
        ck_assert_double_eq((double)gradient_of(params, 2)[0], 12);
    }
    lg_params_free(params);
}
END_TEST

START_TEST(clip_value_caps_each_and_keeps_nan)
{
    lg_params *params = three_tensors();
    set_gradients(params);
    gradient_of(params, 1)[0] = (lg_real)NAN;
    gradient_of(params, 1)[1] = (lg_real)-INFINITY;
    gradient_of(params, 1)[2] = (lg_real)-0.25;
    ck_assert_int_eq(lg_params_clip_value(params, 3.5), LG_OK);
    ck_assert_double_eq((double)gradient_of(params, 0)[0], 3);
    ck_assert_double_eq((double)gradient_of(params, 0)[2], 3.5);
    ck_assert(isnan(gradient_of(params, 1)[0]));
    ck_assert_double_eq((double)gradient_of(params, 1)[1], -3.5);
    ck_assert_double_eq((double)gradient_of(params, 1)[2], -0.25);
    ck_assert_double_eq((double)gradient_of(params, 2)[0], 3.5);
    lg_params_free(params);
}
END_TEST

START_TEST(bounds_that_are_not_positive_are_refused)
{
    lg_params *params = three_tensors();
    set_gradients(params);
    const double bad[] = { 0, -1, (double)NAN };
    for (size_t i = 0; i < COUNT(bad); i++) {
        ck_assert(isnan(lg_params_clip_norm(params, bad[i])));
        expect_error(LG_E_PARAM, "must be positive");
        ck_assert_int_eq(lg_params_clip_value(params, bad[i]), LG_E_PARAM);
        expect_error(LG_E_PARAM, "must be positive");
    }
    ck_assert_double_eq(lg_params_grad_norm(params), 13);
    lg_params_free(params);
}
END_TEST

/* d/da sum(a^2) = 2a: the first backward stores over what was there, the second adds, and zeroing starts anew. */
START_TEST(gradients_add_up_until_they_are_zeroed)
{
    lg_params *params = three_tensors();
    lg_tensor *a = lg_params_at(params, 0);
    lg_tape *tape = lg_tape_new();
    set_gradients(params);
    lg_params_zero_grad(params);
    ck_assert_ptr_null(lg_tensor_grad(a));
    for (int pass = 1; pass <= 3; pass++) {
        lg_tape_reset(tape);
        ck_assert_int_eq(lg_backward(tape, lg_sum(tape, lg_square(tape, a))), LG_OK);
        const int times = pass == 3 ? 1 : pass;
        for (size_t i = 0; i < 3; i++)
            ck_assert_double_eq((double)lg_tensor_grad(a)[i], 2.0 * times * (double)(i + 1));
        ck_assert_ptr_null(lg_tensor_grad(lg_params_at(params, 1))); /* not reached */
        if (pass == 2)
            lg_params_zero_grad(params);
    }
    lg_tape_free(tape);
    lg_params_free(params);
}
END_TEST

/* -------------------------------------------------------------- snapshots */

START_TEST(a_snapshot_brings_the_values_back)
{
    lg_params *params = three_tensors();
    lg_snapshot *snapshot = lg_params_snapshot(params);
    lg_tensor *b = lg_params_at(params, 1);
    lg_tensor_data(b)[3] = -1;
    ck_assert_int_eq(lg_params_restore(params, snapshot), LG_OK);
    ck_assert_double_eq((double)lg_tensor_data(b)[3], 7);
    lg_tensor_data(b)[3] = -2;
    ck_assert_int_eq(lg_params_save_to(params, snapshot), LG_OK);
    lg_tensor_data(b)[3] = -3;
    ck_assert_int_eq(lg_params_restore(params, snapshot), LG_OK);
    ck_assert_double_eq((double)lg_tensor_data(b)[3], -2);
    ck_assert_ptr_nonnull(lg_params_add(params, "d", LG_SHAPE(1)));
    ck_assert_int_eq(lg_params_restore(params, snapshot), LG_E_SHAPE);
    expect_error(LG_E_SHAPE, "lg_params_restore");
    ck_assert_int_eq(lg_params_save_to(params, snapshot), LG_E_SHAPE);
    ck_assert_double_eq((double)lg_tensor_data(b)[3], -2);
    lg_snapshot_free(snapshot);
    lg_params_free(params);
}
END_TEST

START_TEST(null_and_empty_sets_are_harmless)
{
    ck_assert_ptr_null(lg_params_add(NULL, "p", LG_SHAPE(1)));
    expect_error(LG_E_PARAM, "lg_params_add: params is NULL");
    ck_assert_ptr_null(lg_params_snapshot(NULL));
    expect_error(LG_E_PARAM, "lg_params_snapshot: params is NULL");
    ck_assert(isnan(lg_params_clip_norm(NULL, 1)));
    expect_error(LG_E_PARAM, "lg_params_clip_norm: params is NULL");
    ck_assert_int_eq(lg_params_clip_value(NULL, 1), LG_E_PARAM);
    expect_error(LG_E_PARAM, "lg_params_clip_value: params is NULL");
    ck_assert_int_eq(lg_params_own(NULL, freed, note_free), LG_E_PARAM);
    ck_assert_ptr_null(lg_params_find(NULL, "p"));
    ck_assert_int_eq(lg_params_restore(NULL, NULL), LG_E_PARAM);
    lg_error_clear();
    ck_assert_uint_eq(lg_params_count(NULL), 0);
    ck_assert_uint_eq(lg_params_size(NULL), 0);
    ck_assert_ptr_null(lg_params_at(NULL, 0));
    ck_assert_ptr_null(lg_params_name(NULL, 0));
    ck_assert_double_eq(lg_params_grad_norm(NULL), 0);
    lg_params_zero_grad(NULL);
    lg_params_free(NULL);
    lg_snapshot_free(NULL);

    lg_params *empty = lg_params_new();
    lg_snapshot *snapshot = lg_params_snapshot(empty);
    ck_assert_ptr_nonnull(snapshot);
    ck_assert_int_eq(lg_params_restore(empty, snapshot), LG_OK);
    ck_assert_double_eq(lg_params_clip_norm(empty, 1), 0);
    ck_assert_int_eq(lg_params_clip_value(empty, 1), LG_OK);
    lg_snapshot_free(snapshot);
    lg_params_free(empty);
}
END_TEST

/* ----------------------------------------------------------------- memory */

static lg_status make_and_snapshot(void *context)
{
    (void)context;
    lg_params *params = lg_params_new();
    lg_params_add(params, "a", LG_SHAPE(3));
    lg_params_add(params, "b", LG_SHAPE(30));
    lg_snapshot *snapshot = lg_params_count(params) == 2 ? lg_params_snapshot(params) : NULL;
    const lg_status status = snapshot ? lg_params_restore(params, snapshot) : lg_error_code();
    lg_snapshot_free(snapshot);
    lg_params_free(params);
    return status;
}

START_TEST(every_failing_allocation_is_reported_and_leaks_nothing)
{
    ck_assert_uint_ge(for_each_allocation_failure(make_and_snapshot, NULL), 10);
}
END_TEST

Suite *params_suite(void)
{
    Suite *suite = suite_create("params");
    TCase *tensors = tcase_create("tensors");
    tcase_add_checked_fixture(tensors, lg_error_clear, NULL);
    tcase_add_test(tensors, tensors_are_found_by_name_and_place);
    tcase_add_test(tensors, headers_stay_and_values_move_along_when_the_set_grows);
    tcase_add_test(tensors, a_set_is_one_block_of_aligned_pieces);
    tcase_add_test(tensors, names_are_unique_and_bounded);
    tcase_add_test(tensors, shapes_that_cannot_be_are_refused_and_change_nothing);
    tcase_add_test(tensors, shrinking_takes_back_the_last_tensors);
    tcase_add_test(tensors, owned_objects_are_freed_with_the_set_last_first);
    tcase_add_test(tensors, nothing_is_added_while_the_set_is_held);
    suite_add_tcase(suite, tensors);
    TCase *gradients = tcase_create("gradients");
    tcase_add_checked_fixture(gradients, lg_error_clear, NULL);
    tcase_add_test(gradients, the_norm_is_that_of_all_gradients_together);
    tcase_add_test(gradients, the_norm_is_summed_in_double);
    tcase_add_test(gradients, clip_norm_scales_to_the_bound_and_only_when_above);
    tcase_add_test(gradients, clip_norm_leaves_what_is_not_finite);
    tcase_add_test(gradients, clip_value_caps_each_and_keeps_nan);
    tcase_add_test(gradients, bounds_that_are_not_positive_are_refused);
    tcase_add_test(gradients, gradients_add_up_until_they_are_zeroed);
    suite_add_tcase(suite, gradients);
    TCase *snapshots = tcase_create("snapshots");
    tcase_add_checked_fixture(snapshots, lg_error_clear, NULL);
    tcase_add_test(snapshots, a_snapshot_brings_the_values_back);
    tcase_add_test(snapshots, null_and_empty_sets_are_harmless);
    suite_add_tcase(suite, snapshots);
    TCase *memory = tcase_create("memory");
    tcase_add_checked_fixture(memory, lg_error_clear, NULL);
    tcase_add_test(memory, every_failing_allocation_is_reported_and_leaks_nothing);
    suite_add_tcase(suite, memory);
    return suite;
}
