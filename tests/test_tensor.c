/* Tensors on the heap: creation, shapes, initialisation, printing, products. */
#include "fail_alloc.h"
#include "tensor/tensor_internal.h"

#include <check.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ----------------------------------------------------------------- creation */

START_TEST(creation_fills_and_copies)
{
    lg_real values[] = { 1, 2, 3, 4, 5, 6 };
    const int32_t indices[] = { 7, -8 };
    lg_tensor *zeros = lg_tensor_zeros(LG_SHAPE(2, 3)), *full = lg_tensor_full(LG_SHAPE(4), 2.5);
    lg_tensor *from = lg_tensor_from(LG_SHAPE(2, 3), values), *index = lg_tensor_from_indices(LG_SHAPE(2), indices);
    values[5] = 0;
    ck_assert_uint_eq(lg_tensor_rank(zeros), 2);
    ck_assert_uint_eq(lg_tensor_size(zeros), 6);
    ck_assert_uint_eq(lg_tensor_dim(zeros, 1), 3);
    ck_assert_uint_eq(lg_tensor_dim(zeros, 3), 1);
    for (size_t i = 0; i < 6; i++)
        ck_assert(lg_tensor_data(zeros)[i] == 0);
    for (size_t i = 0; i < 4; i++)
        ck_assert(lg_tensor_data(full)[i] == (lg_real)2.5);
    ck_assert(lg_tensor_data(from)[5] == 6);
    ck_assert_int_eq(lg_tensor_dtype(index), LG_INT32);
    ck_assert_int_eq(lg_tensor_indices(index)[1], -8);
    ck_assert_uint_eq((uintptr_t)lg_tensor_data(zeros) % 64, 0);
    lg_tensor_free(zeros);
    lg_tensor_free(full);
    lg_tensor_free(from);
    lg_tensor_free(index);
    lg_tensor_free(NULL);
}
END_TEST

START_TEST(a_scalar_and_an_empty_tensor_are_tensors)
{
    lg_tensor *scalar = lg_tensor_full(LG_SCALAR_SHAPE, 3), *empty = lg_tensor_zeros(LG_SHAPE(3, 0, 2));
    ck_assert_uint_eq(lg_tensor_rank(scalar), 0);
    ck_assert_uint_eq(lg_tensor_size(scalar), 1);
    ck_assert_double_eq(lg_tensor_item(scalar), 3);
    ck_assert_uint_eq(lg_tensor_size(empty), 0);
    ck_assert_ptr_nonnull(lg_tensor_data(empty));
    lg_tensor_free(scalar);
    lg_tensor_free(empty);
}
END_TEST

START_TEST(shapes_that_overflow_are_errors)
{
    const size_t half = (size_t)1 << (sizeof(size_t) * 4);
    ck_assert_ptr_null(lg_tensor_zeros(LG_SHAPE(half, half)));
    ck_assert_int_eq(lg_error_code(), LG_E_SHAPE);
    ck_assert_ptr_nonnull(strstr(lg_error(), "lg_tensor_full: the shape ["));
    ck_assert_ptr_null(lg_tensor_zeros(LG_SHAPE(SIZE_MAX)));
    ck_assert_int_eq(lg_error_code(), LG_E_SHAPE);
    ck_assert_ptr_null(lg_tensor_zeros(LG_SHAPE(SIZE_MAX / 8))); /* elements fit, bytes do not */
    ck_assert_int_eq(lg_error_code(), LG_E_SHAPE);
    ck_assert_ptr_null(lg_tensor_zeros(LG_SHAPE(half, half, 0))); /* no zero hides it */
    ck_assert_int_eq(lg_error_code(), LG_E_SHAPE);
    ck_assert_ptr_null(lg_tensor_zeros(5, (const size_t[]){ 1, 1, 1, 1, 1 }));
    ck_assert_int_eq(lg_error_code(), LG_E_SHAPE);
    lg_error_clear();
    ck_assert_ptr_null(lg_tensor_zeros(2, NULL));
    ck_assert_int_eq(lg_error_code(), LG_E_PARAM);
}
END_TEST

START_TEST(missing_values_are_errors)
{
    lg_error_clear();
    ck_assert_ptr_null(lg_tensor_from(LG_SHAPE(2), NULL));
    ck_assert_int_eq(lg_error_code(), LG_E_PARAM);
    lg_error_clear();
    ck_assert_ptr_null(lg_tensor_from_indices(LG_SHAPE(2), NULL));
    ck_assert_int_eq(lg_error_code(), LG_E_PARAM);
    lg_error_clear();
    ck_assert_ptr_null(lg_tensor_normal(LG_SHAPE(2), 0, 1, NULL));
    ck_assert_int_eq(lg_error_code(), LG_E_PARAM);
}
END_TEST

static lg_status make_and_free(void *context)
{
    (void)context;
    lg_tensor *x = lg_tensor_zeros(LG_SHAPE(3, 3));
    const lg_status status = x ? lg_tensor_require_grad(x, true) : lg_error_code();
    lg_tensor_free(x);
    return status;
}

START_TEST(out_of_memory_is_reported_and_leaks_nothing)
{
    ck_assert_uint_eq(for_each_allocation_failure(make_and_free, NULL), 3);
}
END_TEST

/* ------------------------------------------------------------ initialisation */

/* Smallest, largest, mean and variance of a tensor that is then freed. */
typedef struct statistics {
    double low, high, mean, variance;
} statistics;

static statistics statistics_of(lg_tensor *x)
{
    ck_assert_msg(x != NULL, "%s", lg_error());
    const lg_real *value = lg_tensor_data(x);
    const size_t n = lg_tensor_size(x);
    statistics s = { INFINITY, -INFINITY, 0, 0 };
    for (size_t i = 0; i < n; i++) {
        s.low = fmin(s.low, (double)value[i]), s.high = fmax(s.high, (double)value[i]);
        s.mean += (double)value[i] / (double)n;
    }
    for (size_t i = 0; i < n; i++)
        s.variance += ((double)value[i] - s.mean) * ((double)value[i] - s.mean) / (double)n;
    lg_tensor_free(x);
    return s;
}

/* n draws: the mean is within 5 of its standard errors, the variance within 5% (5 sqrt(2 / 60000) = 3% for a normal). */
static void assert_moments(statistics s, double n, double mean, double variance)
{
    ck_assert_double_le(fabs(s.mean - mean), 5 * sqrt(variance / n));
    ck_assert_double_le(fabs(s.variance / variance - 1), 0.05);
}

START_TEST(uniform_and_normal_have_their_moments)
{
    lg_rng rng = lg_rng_seed(7);
    const statistics u = statistics_of(lg_tensor_uniform(LG_SHAPE(200, 300), -1, 3, &rng));
    ck_assert(u.low >= -1 && u.low < -0.99 && u.high < 3 && u.high > 2.99);
    assert_moments(u, 60000, 1, 16.0 / 12);
    const statistics normal = statistics_of(lg_tensor_normal(LG_SHAPE(200, 300), 2, 0.5, &rng));
    assert_moments(normal, 60000, 2, 0.25);
    ck_assert(normal.high > 3.5 && normal.low < 0.5); /* 3 deviations: 80 of 60000 beyond each */
    ck_assert_ptr_null(lg_tensor_uniform(LG_SHAPE(2), 1, 0, &rng));
    ck_assert_int_eq(lg_error_code(), LG_E_PARAM);
    ck_assert_ptr_null(lg_tensor_uniform(LG_SHAPE(2), NAN, 0, &rng));
    ck_assert_ptr_null(lg_tensor_normal(LG_SHAPE(2), 0, -1, &rng));
    ck_assert_int_eq(lg_error_code(), LG_E_PARAM);
}
END_TEST

START_TEST(glorot_and_he_have_their_bounds_and_variance)
{
    lg_rng rng = lg_rng_seed(11);
    const double out = 200, in = 300, n = 60000;
    const statistics gu = statistics_of(lg_tensor_glorot_uniform(LG_SHAPE(200, 300), &rng));
    const double glorot = sqrt(6 / (in + out));
    ck_assert(gu.low >= -glorot && gu.low < -0.999 * glorot && gu.high <= glorot && gu.high > 0.999 * glorot);
    assert_moments(gu, n, 0, 2 / (in + out));
    assert_moments(statistics_of(lg_tensor_glorot_normal(LG_SHAPE(200, 300), &rng)), n, 0, 2 / (in + out));
    const statistics hu = statistics_of(lg_tensor_he_uniform(LG_SHAPE(200, 300), &rng));
    const double he = sqrt(6 / in);
    ck_assert(hu.low >= -he && hu.low < -0.999 * he && hu.high <= he && hu.high > 0.999 * he);
    assert_moments(hu, n, 0, 2 / in);
    assert_moments(statistics_of(lg_tensor_he_normal(LG_SHAPE(200, 300), &rng)), n, 0, 2 / in);
    /* A receptive field of 3 x 2 multiplies both fans, as in PyTorch. */
    assert_moments(statistics_of(lg_tensor_he_normal(LG_SHAPE(100, 100, 3, 2), &rng)), n, 0, 2 / (100.0 * 6));
    ck_assert_ptr_null(lg_tensor_glorot_uniform(LG_SHAPE(5), &rng));
    ck_assert_int_eq(lg_error_code(), LG_E_SHAPE);
}
END_TEST

START_TEST(equal_generators_make_equal_tensors)
{
    lg_rng a = lg_rng_seed(3), b = lg_rng_seed(3), c = lg_rng_seed(4);
    lg_tensor *x = lg_tensor_he_normal(LG_SHAPE(10, 10), &a), *y = lg_tensor_he_normal(LG_SHAPE(10, 10), &b);
    lg_tensor *z = lg_tensor_he_normal(LG_SHAPE(10, 10), &c);
    ck_assert_mem_eq(lg_tensor_data(x), lg_tensor_data(y), 100 * sizeof(lg_real));
    ck_assert_mem_ne(lg_tensor_data(x), lg_tensor_data(z), 100 * sizeof(lg_real));
    lg_tensor_free(x);
    lg_tensor_free(y);
    lg_tensor_free(z);
}
END_TEST

/* ------------------------------------------------------------------- reshape */

START_TEST(reshape_keeps_the_size)
{
    lg_tensor *x = lg_tensor_zeros(LG_SHAPE(4, 6));
    ck_assert_int_eq(lg_tensor_reshape(x, LG_SHAPE(2, 3, 4)), LG_OK);
    ck_assert_uint_eq(lg_tensor_rank(x), 3);
    ck_assert_uint_eq(lg_tensor_dim(x, 2), 4);
    ck_assert_int_eq(lg_tensor_reshape(x, LG_SHAPE(5, 5)), LG_E_SHAPE);
    ck_assert_str_eq(lg_error(), "lg_tensor_reshape: [2, 3, 4] has 24 elements, [5, 5] has 25");
    ck_assert_uint_eq(lg_tensor_rank(x), 3);
    ck_assert_int_eq(lg_tensor_reshape(x, LG_SHAPE(SIZE_MAX, 2)), LG_E_SHAPE);
    lg_error_clear();
    ck_assert_int_eq(lg_tensor_reshape(NULL, LG_SHAPE(1)), LG_E_PARAM);
    lg_tensor_free(x);
}
END_TEST

START_TEST(access_of_the_wrong_kind_is_an_error)
{
    lg_tensor *x = lg_tensor_zeros(LG_SHAPE(2)), *index = lg_tensor_from_indices(LG_SHAPE(1), (const int32_t[]){ 3 });
    ck_assert_ptr_null(lg_tensor_indices(x));
    ck_assert_int_eq(lg_error_code(), LG_E_DTYPE);
    ck_assert_ptr_null(lg_tensor_data(index));
    ck_assert_int_eq(lg_error_code(), LG_E_DTYPE);
    ck_assert_int_eq(lg_tensor_require_grad(index, true), LG_E_DTYPE);
    ck_assert(isnan(lg_tensor_item(x)));
    ck_assert_int_eq(lg_error_code(), LG_E_SHAPE);
    ck_assert_double_eq(lg_tensor_item(index), 3);
    ck_assert_uint_eq(lg_tensor_size(NULL) + lg_tensor_rank(NULL) + lg_tensor_dim(NULL, 0), 0);
    lg_tensor_free(x);
    lg_tensor_free(index);
}
END_TEST

/* ------------------------------------------------------------------ printing */

static void assert_prints(lg_tensor *x, const char *expected)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *stream = open_memstream(&text, &bytes);
    lg_tensor_print(x, stream);
    fclose(stream);
    ck_assert_str_eq(text, expected);
    free(text);
    lg_tensor_free(x);
}

#define REAL_NAME (LG_REAL_BITS == 64 ? "float64" : "float32")

START_TEST(print_elides_long_axes)
{
    char expected[1024];
    lg_real count[120];
    for (size_t i = 0; i < 120; i++)
        count[i] = (lg_real)i;
    snprintf(expected, sizeof expected, "tensor [2, 3] %s\n[[0, 1, 2],\n [3, 4, 5]]\n", REAL_NAME);
    assert_prints(lg_tensor_from(LG_SHAPE(2, 3), count), expected);
    snprintf(expected, sizeof expected, "tensor [8] %s\n[0, 1, 2, 3, 4, 5, 6, 7]\n", REAL_NAME);
    assert_prints(lg_tensor_from(LG_SHAPE(8), count), expected);
    snprintf(expected, sizeof expected, "tensor [9] %s\n[0, 1, 2, ..., 6, 7, 8]\n", REAL_NAME);
    assert_prints(lg_tensor_from(LG_SHAPE(9), count), expected);
    snprintf(expected, sizeof expected,
             "tensor [12, 10] %s\n[[0, 1, 2, ..., 7, 8, 9],\n [10, 11, 12, ..., 17, 18, 19],\n"
             " [20, 21, 22, ..., 27, 28, 29],\n ...,\n [90, 91, 92, ..., 97, 98, 99],\n"
             " [100, 101, 102, ..., 107, 108, 109],\n [110, 111, 112, ..., 117, 118, 119]]\n",
             REAL_NAME);
    assert_prints(lg_tensor_from(LG_SHAPE(12, 10), count), expected);
    snprintf(expected, sizeof expected, "tensor [2, 1, 2] %s\n[[[0, 1]],\n [[2, 3]]]\n", REAL_NAME);
    assert_prints(lg_tensor_from(LG_SHAPE(2, 1, 2), count), expected);
    snprintf(expected, sizeof expected, "tensor [] %s\n0.333333\n", REAL_NAME);
    assert_prints(lg_tensor_full(LG_SCALAR_SHAPE, 1.0 / 3), expected);
    snprintf(expected, sizeof expected, "tensor [2, 0] %s\n[[],\n []]\n", REAL_NAME);
    assert_prints(lg_tensor_zeros(LG_SHAPE(2, 0)), expected);
    assert_prints(lg_tensor_from_indices(LG_SHAPE(2), (const int32_t[]){ -1, 4 }), "tensor [2] int32\n[-1, 4]\n");
}
END_TEST

START_TEST(shapes_are_written_out)
{
    char text[LG_SHAPE_TEXT_BYTES];
    lg_tensor *x = lg_tensor_zeros(LG_SHAPE(128, 784));
    ck_assert_str_eq(lg_tensor_shape_text(x, text, sizeof text), "[128, 784]");
    ck_assert_str_eq(lg_tensor_shape_text(x, text, 5), "[128");
    ck_assert_str_eq(lg_tensor_shape_text(NULL, text, sizeof text), "NULL");
    lg_tensor_free(x);
}
END_TEST

/* -------------------------------------------------------------------- matmul */

/* Sizes m, k, n with vectors, scalars, nothing, more than a kernel's block, and about those from which a product goes
 * another way. */
static const size_t sizes[][3] = { { 3, 4, 5 },    { 1, 7, 1 },    { 1, 6, 4 },     { 5, 6, 1 },      { 4, 1, 3 },
                                   { 2, 0, 3 },    { 0, 3, 2 },    { 3, 2, 0 },     { 33, 70, 19 },   { 130, 17, 65 },
                                   { 70, 1, 65 },  { 70, 1, 1 },   { 1, 1, 70 },    { 1, 900, 1 },    { 15, 20, 30 },
                                   { 16, 20, 30 }, { 16, 128, 64 }, { 16, 129, 64 }, { 130, 90, 90 }, { 16, 1, 8192 },
                                   { 17, 23, 35 }, { 35, 23, 17 }, { 16, 3, 18 },   { 19, 2, 17 } };

START_TEST(matmul_is_the_triple_loop_in_all_transpositions)
{
    const size_t m = sizes[_i / 4][0], k = sizes[_i / 4][1], n = sizes[_i / 4][2];
    const bool ta = _i & 1, tb = _i & 2;
    lg_rng rng = lg_rng_seed((uint64_t)_i);
    lg_tensor *a = lg_tensor_uniform(2, ta ? (const size_t[]){ k, m } : (const size_t[]){ m, k }, -1, 1, &rng);
    lg_tensor *b = lg_tensor_uniform(2, tb ? (const size_t[]){ n, k } : (const size_t[]){ k, n }, -1, 1, &rng);
    lg_tensor *c = lg_tensor_full(LG_SHAPE(m, n), NAN); /* whatever c held does not matter */
    ck_assert_msg(lg_tensor_matmul(c, a, ta, b, tb) == LG_OK, "%s", lg_error());
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j < n; j++) {
            double sum = 0, bound = 0;
            for (size_t l = 0; l < k; l++) {
                const double term = (double)lg_tensor_data(a)[ta ? l * m + i : i * k + l] *
                                    (double)lg_tensor_data(b)[tb ? j * k + l : l * n + j];
                sum += term, bound += fabs(term);
            }
            /* A sum of k rounded products errs by at most about k u sum |terms|, u = 2^-24 or 2^-53. */
            const double unit = LG_REAL_BITS == 64 ? 0x1p-53 : 0x1p-24;
            ck_assert_double_le(fabs((double)lg_tensor_data(c)[i * n + j] - sum), 2 * (double)k * unit * bound);
        }
    lg_tensor_free(a);
    lg_tensor_free(b);
    lg_tensor_free(c);
}
END_TEST

START_TEST(gemm_adds_to_what_is_there_with_beta_one)
{
    const lg_real a[] = { 1, 2, 3, 4 }, b[] = { 5, 6, 7, 8 };
    lg_real c[] = { 100, 200, 300, 400 }, column[] = { 10, 20 }, nothing[] = { 1, 2, 3, 4 };
    lg_gemm(false, false, 2, 2, 2, a, b, 1, c);
    ck_assert(c[0] == 119 && c[1] == 222 && c[2] == 343 && c[3] == 450);
    lg_gemm(true, false, 2, 1, 2, a, b, 1, column);
    ck_assert(column[0] == 10 + 1 * 5 + 3 * 6 && column[1] == 20 + 2 * 5 + 4 * 6);
    lg_real outer[] = { 100, 200, 300, 400 }, scaled[] = { 10, 20 }, dot = 100;
    lg_gemm(false, false, 2, 2, 1, a, b, 1, outer);
    ck_assert(outer[0] == 105 && outer[1] == 206 && outer[2] == 310 && outer[3] == 412);
    lg_gemm(false, true, 2, 1, 1, a, b, 1, scaled);
    ck_assert(scaled[0] == 10 + 1 * 5 && scaled[1] == 20 + 2 * 5);
    lg_gemm(true, false, 1, 1, 4, a, b, 1, &dot);
    ck_assert(dot == 100 + 70);
    lg_real rows[16 * 2], sums[16 * 2];
    for (size_t i = 0; i < 16 * 2; i++)
        rows[i] = (lg_real)i, sums[i] = 1000;
    lg_gemm(false, true, 16, 2, 2, rows, b, 1, sums);
    for (size_t i = 0; i < 16; i++)
        ck_assert(sums[2 * i] == 1000 + rows[2 * i] * 5 + rows[2 * i + 1] * 6 &&
                  sums[2 * i + 1] == 1000 + rows[2 * i] * 7 + rows[2 * i + 1] * 8);
    lg_gemm(false, false, 2, 2, 0, a, b, 1, nothing);
    ck_assert(nothing[0] == 1 && nothing[3] == 4);
    lg_gemm(false, false, 2, 2, 0, a, b, 0, nothing);
    ck_assert(nothing[0] == 0 && nothing[3] == 0);
}
END_TEST

START_TEST(matmul_refuses_shapes_that_do_not_fit)
{
    lg_tensor *a = lg_tensor_zeros(LG_SHAPE(2, 3)), *c = lg_tensor_zeros(LG_SHAPE(2, 2));
    lg_tensor *index = lg_tensor_from_indices(LG_SHAPE(1, 1), (const int32_t[]){ 0 });
    ck_assert_int_eq(lg_tensor_matmul(c, a, false, a, false), LG_E_SHAPE);
    ck_assert_str_eq(lg_error(), "lg_tensor_matmul: [2, 3] x [2, 3] into [2, 2] do not fit");
    ck_assert_int_eq(lg_tensor_matmul(c, a, true, a, false), LG_E_SHAPE);
    ck_assert_str_eq(lg_error(), "lg_tensor_matmul: [2, 3] transposed x [2, 3] into [2, 2] do not fit");
    ck_assert_int_eq(lg_tensor_matmul(c, a, false, a, true), LG_OK);
    ck_assert_int_eq(lg_tensor_matmul(c, index, false, a, true), LG_E_DTYPE);
    lg_error_clear();
    ck_assert_int_eq(lg_tensor_matmul(c, a, false, NULL, true), LG_E_PARAM);
    lg_tensor_free(a);
    lg_tensor_free(c);
    lg_tensor_free(index);
}
END_TEST

/* Only the shapes are looked at: nothing of that size is allocated. */
START_TEST(sizes_beyond_blas_int_are_errors)
{
    const size_t most = INT_MAX;
    ck_assert_int_eq(lg_gemm_check("matmul", most, 1, 1), LG_OK);
    ck_assert_int_eq(lg_gemm_check("matmul", most + 1, 1, 1), LG_E_SHAPE);
    ck_assert_int_eq(lg_gemm_check("matmul", 1, most + 1, 1), LG_E_SHAPE);
    ck_assert_int_eq(lg_gemm_check("matmul", 1, 1, most + 1), LG_E_SHAPE);
    ck_assert_ptr_nonnull(strstr(lg_error(), "matmul: [1, 2147483648] x [2147483648, 1]"));
    lg_tensor a = { .rank = 2, .size = most + 1, .dims = { most + 1, 1, 1, 1 } };
    lg_tensor b = { .rank = 2, .size = 1, .dims = { 1, 1, 1, 1 } };
    lg_tensor c = a;
    ck_assert_int_eq(lg_tensor_matmul(&c, &a, false, &b, false), LG_E_SHAPE);
    ck_assert_ptr_nonnull(strstr(lg_error(), "more than BLAS can index"));
}
END_TEST

Suite *tensor_suite(void)
{
    Suite *suite = suite_create("tensor");
    TCase *tcase = tcase_create("tensor");
    tcase_add_test(tcase, creation_fills_and_copies);
    tcase_add_test(tcase, a_scalar_and_an_empty_tensor_are_tensors);
    tcase_add_test(tcase, shapes_that_overflow_are_errors);
    tcase_add_test(tcase, missing_values_are_errors);
    tcase_add_test(tcase, out_of_memory_is_reported_and_leaks_nothing);
    tcase_add_test(tcase, uniform_and_normal_have_their_moments);
    tcase_add_test(tcase, glorot_and_he_have_their_bounds_and_variance);
    tcase_add_test(tcase, equal_generators_make_equal_tensors);
    tcase_add_test(tcase, reshape_keeps_the_size);
    tcase_add_test(tcase, access_of_the_wrong_kind_is_an_error);
    tcase_add_test(tcase, print_elides_long_axes);
    tcase_add_test(tcase, shapes_are_written_out);
    tcase_add_loop_test(tcase, matmul_is_the_triple_loop_in_all_transpositions, 0,
                        4 * (int)(sizeof sizes / sizeof sizes[0]));
    tcase_add_test(tcase, gemm_adds_to_what_is_there_with_beta_one);
    tcase_add_test(tcase, matmul_refuses_shapes_that_do_not_fit);
    tcase_add_test(tcase, sizes_beyond_blas_int_are_errors);
    suite_add_tcase(suite, tcase);
    return suite;
}
