/* Errors, version, checked memory, and the failing allocator that other tests stand on. */
#include "fail_alloc.h"
#include "tensor/memory_internal.h"

#include <check.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* A size that the compiler cannot see through, so that it does not warn of what is tested. */
static volatile size_t huge = SIZE_MAX;

/* ---- errors */

START_TEST(nothing_is_pending_after_a_clear)
{
    lg_fail(LG_E_IO, "something");
    lg_error_clear();
    ck_assert_str_eq(lg_error(), "");
    ck_assert_int_eq(lg_error_code(), LG_OK);
}
END_TEST

START_TEST(a_real_failure_overwrites_what_was_pending)
{
    lg_error_clear();
    ck_assert_int_eq(lg_fail(LG_E_SHAPE, "matmul: %d columns against %d rows", 3, 4), LG_E_SHAPE);
    ck_assert_str_eq(lg_error(), "matmul: 3 columns against 4 rows");
    ck_assert_int_eq(lg_fail(LG_E_IO, "%s: not there", "x.csv"), LG_E_IO);
    ck_assert_str_eq(lg_error(), "x.csv: not there");
    ck_assert_int_eq(lg_error_code(), LG_E_IO);
}
END_TEST

START_TEST(a_null_received_keeps_the_message_that_came_first)
{
    lg_error_clear();
    lg_fail(LG_E_MEMORY, "first");
    ck_assert_int_eq(lg_fail_null("tanh: x is NULL"), LG_E_MEMORY);
    ck_assert_str_eq(lg_error(), "first");
    ck_assert_int_eq(lg_error_code(), LG_E_MEMORY);
}
END_TEST

START_TEST(a_null_received_with_nothing_pending_names_itself)
{
    lg_error_clear();
    ck_assert_int_eq(lg_fail_null("%s: x is NULL", "tanh"), LG_E_PARAM);
    ck_assert_str_eq(lg_error(), "tanh: x is NULL");
    ck_assert_int_eq(lg_error_code(), LG_E_PARAM);
}
END_TEST

START_TEST(a_message_may_quote_the_one_that_is_pending)
{
    lg_fail(LG_E_FORMAT, "line 3: no number");
    lg_fail(LG_E_FORMAT, "a.csv: %s", lg_error());
    ck_assert_str_eq(lg_error(), "a.csv: line 3: no number");
}
END_TEST

START_TEST(a_message_longer_than_1023_bytes_is_cut)
{
    char text[3000];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    lg_fail(LG_E_PARAM, "%s", text);
    ck_assert_uint_eq(strlen(lg_error()), 1023);
    ck_assert_int_eq(strncmp(lg_error(), text, 1023), 0);
}
END_TEST

static void *look_and_fail(void *clean)
{
    *(bool *)clean = lg_error_code() == LG_OK && lg_error()[0] == '\0';
    lg_fail(LG_E_NAN, "in the other thread");
    return NULL;
}

START_TEST(errors_belong_to_a_thread)
{
    lg_fail(LG_E_IO, "here");
    pthread_t thread;
    bool clean = false;
    ck_assert_int_eq(pthread_create(&thread, NULL, look_and_fail, &clean), 0);
    pthread_join(thread, NULL);
    ck_assert(clean);
    ck_assert_str_eq(lg_error(), "here");
    ck_assert_int_eq(lg_error_code(), LG_E_IO);
}
END_TEST

START_TEST(every_status_of_failure_is_negative)
{
    static const lg_status all[] = { LG_E_SHAPE, LG_E_DTYPE, LG_E_PARAM, LG_E_DOMAIN, LG_E_INDEX,      LG_E_STATE,
                                     LG_E_MEMORY, LG_E_IO,   LG_E_FORMAT, LG_E_NAN,   LG_E_INTERRUPTED };
    ck_assert_int_eq(LG_OK, 0);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        ck_assert_int_lt(all[i], 0);
        for (size_t j = 0; j < i; j++)
            ck_assert_int_ne(all[i], all[j]);
    }
}
END_TEST

/* ---- version and real type */

START_TEST(version_is_that_of_the_header)
{
    char expected[32];
    snprintf(expected, sizeof expected, "%d.%d.%d", LG_VERSION_MAJOR, LG_VERSION_MINOR, LG_VERSION_PATCH);
    ck_assert_str_eq(lg_version(), expected);
}
END_TEST

START_TEST(the_library_has_the_real_type_of_this_program)
{
    ck_assert_uint_eq(sizeof(lg_real) * 8, LG_REAL_BITS);
    ck_assert_int_eq(lg_abi_check, LG_REAL_BITS);
}
END_TEST

/* ---- memory */

START_TEST(sizes_that_overflow_are_refused)
{
    size_t result;
    ck_assert(lg_size_mul(3, 5, &result) && result == 15);
    ck_assert(lg_size_mul(0, SIZE_MAX, &result) && result == 0);
    ck_assert(lg_size_mul(SIZE_MAX / 2, 2, &result) && result == SIZE_MAX - 1);
    ck_assert(!lg_size_mul(SIZE_MAX / 2 + 1, 2, &result));
    ck_assert(lg_size_add(SIZE_MAX - 1, 1, &result) && result == SIZE_MAX);
    ck_assert(!lg_size_add(SIZE_MAX, 1, &result));
}
END_TEST

START_TEST(an_allocation_beyond_memory_is_an_error_that_names_the_caller)
{
    lg_error_clear();
    ck_assert_ptr_null(lg_calloc(huge / 2, 4, "tensor [9, 9]"));
    ck_assert_int_eq(lg_error_code(), LG_E_MEMORY);
    ck_assert_int_eq(strncmp(lg_error(), "tensor [9, 9]: out of memory", 28), 0);

    lg_error_clear();
    ck_assert_ptr_null(lg_aligned_alloc(huge - 8, "arena"));
    ck_assert_int_eq(lg_error_code(), LG_E_MEMORY);
    ck_assert_int_eq(strncmp(lg_error(), "arena: out of memory", 20), 0);
}
END_TEST

START_TEST(an_aligned_block_starts_on_a_cache_line)
{
    static const size_t bytes[] = { 0, 1, 63, 64, 65, 1000 };
    for (size_t i = 0; i < sizeof bytes / sizeof *bytes; i++) {
        unsigned char *block = lg_aligned_alloc(bytes[i], "test");
        ck_assert_ptr_nonnull(block);
        ck_assert_uint_eq((uintptr_t)block % 64, 0);
        memset(block, 1, bytes[i]);
        free(block);
    }
}
END_TEST

START_TEST(an_empty_allocation_is_a_valid_pointer)
{
    void *zeroed = lg_calloc(0, 8, "test"), *resized = lg_realloc(NULL, 0, 8, "test");
    ck_assert_ptr_nonnull(zeroed);
    ck_assert_ptr_nonnull(resized);
    free(zeroed);
    free(resized);
}
END_TEST

START_TEST(a_failed_resize_leaves_the_block_as_it_was)
{
    int *numbers = lg_calloc(4, sizeof *numbers, "test");
    ck_assert_ptr_nonnull(numbers);
    ck_assert_int_eq(numbers[3], 0);
    numbers[3] = 17;
    lg_error_clear();
    ck_assert_ptr_null(lg_realloc(numbers, huge / 2, sizeof *numbers, "test"));
    ck_assert_int_eq(lg_error_code(), LG_E_MEMORY);
    ck_assert_int_eq(numbers[3], 17);
    free(numbers);
}
END_TEST

START_TEST(reserve_grows_by_half_and_keeps_what_is_there)
{
    int *numbers = NULL;
    size_t capacity = 0, grown = 0;
    for (size_t n = 0; n < 1000; n++) {
        size_t before = capacity;
        ck_assert_int_eq(lg_reserve(&numbers, &capacity, n + 1, sizeof *numbers, "test"), LG_OK);
        ck_assert_uint_ge(capacity, n + 1);
        grown += capacity != before;
        numbers[n] = (int)n;
    }
    ck_assert_uint_le(grown, 14); /* log(1000 / 8) / log(1.5) = 12, and the first */
    for (int n = 0; n < 1000; n++)
        ck_assert_int_eq(numbers[n], n);

    size_t before = capacity;
    int *where = numbers;
    lg_error_clear();
    ck_assert_int_eq(lg_reserve(&numbers, &capacity, huge, sizeof *numbers, "test"), LG_E_MEMORY);
    ck_assert_int_eq(lg_error_code(), LG_E_MEMORY);
    ck_assert_ptr_eq(numbers, where);
    ck_assert_uint_eq(capacity, before);
    free(numbers);
}
END_TEST

START_TEST(a_copied_text_is_another_block)
{
    const char *text = "amount";
    char *copy = lg_strdup(text, "test");
    ck_assert_str_eq(copy, text);
    ck_assert_ptr_ne(copy, text);
    free(copy);
}
END_TEST

/* ---- the failing allocator */

static lg_status three_allocations(void *unused)
{
    (void)unused;
    lg_status status = LG_E_MEMORY;
    char *text = lg_strdup("name", "three");
    void *block = text ? lg_aligned_alloc(100, "three") : NULL;
    int *numbers = NULL;
    size_t capacity = 0;
    if (block)
        status = lg_reserve(&numbers, &capacity, 5, sizeof *numbers, "three");
    free(numbers);
    free(block);
    free(text);
    return status;
}

START_TEST(each_allocation_of_a_scenario_fails_once)
{
    ck_assert_uint_eq(for_each_allocation_failure(three_allocations, NULL), 3);
}
END_TEST

START_TEST(the_nth_allocation_fails_and_no_other)
{
    void *block[5];
    fail_alloc_at(3);
    for (size_t i = 0; i < 5; i++)
        block[i] = lg_calloc(1, 8, "test");
    fail_alloc_off();
    for (size_t i = 0; i < 5; i++)
        ck_assert_int_eq(block[i] == NULL, i == 2);
    ck_assert(fail_alloc_failed());
    ck_assert_uint_eq(fail_alloc_count(), 5);
    ck_assert_uint_eq(fail_alloc_live(), 4);
    for (size_t i = 0; i < 5; i++)
        free(block[i]);
}
END_TEST

START_TEST(a_block_that_is_not_freed_is_counted)
{
    void *before = lg_calloc(1, 8, "test"), *block[300];
    fail_alloc_at(0);
    for (size_t i = 0; i < 300; i++)
        block[i] = lg_calloc(i + 1, 16, "test");
    for (size_t i = 0; i < 300; i += 3)
        block[i] = lg_realloc(block[i], 1000, 8, "test");
    for (size_t i = 1; i < 300; i++)
        free(block[i]);
    free(before); /* not of this watch: does not count */
    fail_alloc_off();
    ck_assert_uint_eq(fail_alloc_live(), 1);
    ck_assert_uint_eq(fail_alloc_count(), 400);
    ck_assert(!fail_alloc_failed());
    free(block[0]);
}
END_TEST

Suite *base_suite(void)
{
    Suite *suite = suite_create("base");
    TCase *tcase = tcase_create("errors");
    tcase_add_test(tcase, nothing_is_pending_after_a_clear);
    tcase_add_test(tcase, a_real_failure_overwrites_what_was_pending);
    tcase_add_test(tcase, a_null_received_keeps_the_message_that_came_first);
    tcase_add_test(tcase, a_null_received_with_nothing_pending_names_itself);
    tcase_add_test(tcase, a_message_may_quote_the_one_that_is_pending);
    tcase_add_test(tcase, a_message_longer_than_1023_bytes_is_cut);
    tcase_add_test(tcase, errors_belong_to_a_thread);
    tcase_add_test(tcase, every_status_of_failure_is_negative);
    suite_add_tcase(suite, tcase);

    tcase = tcase_create("version");
    tcase_add_test(tcase, version_is_that_of_the_header);
    tcase_add_test(tcase, the_library_has_the_real_type_of_this_program);
    suite_add_tcase(suite, tcase);

    tcase = tcase_create("memory");
    tcase_add_test(tcase, sizes_that_overflow_are_refused);
    tcase_add_test(tcase, an_allocation_beyond_memory_is_an_error_that_names_the_caller);
    tcase_add_test(tcase, an_aligned_block_starts_on_a_cache_line);
    tcase_add_test(tcase, an_empty_allocation_is_a_valid_pointer);
    tcase_add_test(tcase, a_failed_resize_leaves_the_block_as_it_was);
    tcase_add_test(tcase, reserve_grows_by_half_and_keeps_what_is_there);
    tcase_add_test(tcase, a_copied_text_is_another_block);
    suite_add_tcase(suite, tcase);

    tcase = tcase_create("failing allocator");
    tcase_add_test(tcase, each_allocation_of_a_scenario_fails_once);
    tcase_add_test(tcase, the_nth_allocation_fails_and_no_other);
    tcase_add_test(tcase, a_block_that_is_not_freed_is_counted);
    suite_add_tcase(suite, tcase);
    return suite;
}
