/* IDX files: what is read, and what is refused, with its place. */
#include "data/idx.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "reference/arrays.h"
#include "scratch.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void assert_refused(const char *path, const lg_read_options *options, lg_status code, const char *message)
{
    lg_error_clear();
    lg_dataset *dataset = lg_dataset_read_idx(path, options);
    ck_assert_msg(dataset == NULL, "read, but expected: %s", message);
    ck_assert_str_eq(lg_error(), message);
    ck_assert_int_eq(lg_error_code(), code);
}

static void assert_reads(const char *path, const reference_array *r)
{
    lg_dataset *dataset = lg_dataset_read_idx(path, NULL);
    ck_assert_msg(dataset != NULL, "%s: %s", r->name, lg_error());
    ck_assert_uint_eq(lg_dataset_rows(dataset), r->dims[0]);
    const lg_field *x = lg_dataset_field(dataset, "x");
    ck_assert_uint_eq(x->rank, r->rank > 1 ? r->rank - 1 : 1);
    size_t count = r->dims[0];
    for (size_t k = 1; k < r->rank; k++) {
        ck_assert_uint_eq(x->dims[k - 1], r->dims[k]);
        count *= r->dims[k];
    }
    if (r->rank == 1)
        ck_assert_uint_eq(x->dims[0], 1);
    const lg_real *values = lg_dataset_values(dataset, "x");
    for (size_t i = 0; i < count; i++) /* exact: so the values were chosen */
        ck_assert_msg((double)values[i] == r->values[i], "%s: value %zu is %g", r->name, i, (double)values[i]);
    ck_assert_ptr_null(lg_dataset_field(dataset, "y"));
    lg_dataset_free(dataset);
}

START_TEST(every_type_of_element_is_read_plain_and_packed)
{
    const reference_array *r = &reference_idx[_i];
    scratch_write("t.idx", r->content, r->bytes);
    assert_reads("t.idx", r);
    scratch_write_gzip("packed", r->content, r->bytes);
    assert_reads("packed", r);
}
END_TEST

/* Two pictures of 1 x 3 pixels, and what may be wrong with them. */
#define PIXELS "\0\0\x08\3\0\0\0\2\0\0\0\1\0\0\0\3"

START_TEST(bytes_become_shares_of_255_if_asked)
{
    scratch_write("t.idx", PIXELS "\x00\x33\x66\x99\xCC\xFF", 22);
    lg_dataset *dataset = lg_dataset_read_idx("t.idx", &(lg_read_options){ .unit_bytes = true, .flatten = true });
    ck_assert_ptr_nonnull(dataset);
    const lg_field *x = lg_dataset_field(dataset, "x");
    ck_assert_uint_eq(x->rank, 1);
    ck_assert_uint_eq(x->dims[0], 3);
    for (size_t i = 0; i < 6; i++)
        ck_assert(lg_dataset_values(dataset, "x")[i] == (lg_real)((double)i / 5));
    lg_dataset_free(dataset);

    scratch_write("t.idx", "\0\0\x09\1\0\0\0\1\x40", 9); /* signed bytes are no pixels */
    dataset = lg_dataset_read_idx("t.idx", &(lg_read_options){ .unit_bytes = true });
    ck_assert(lg_dataset_values(dataset, "x")[0] == 64);
    lg_dataset_free(dataset);
}
END_TEST

/* Large enough to be read in several pieces: every value is checked. */
START_TEST(a_file_longer_than_a_buffer_is_whole)
{
    enum { ROWS = 1000, COLUMNS = 333, HEAD = 12 };
    unsigned char *content = malloc(HEAD + ROWS * COLUMNS);
    memcpy(content, "\0\0\x08\2\0\0\3\xE8\0\0\1\x4D", HEAD);
    for (size_t i = 0; i < ROWS * COLUMNS; i++)
        content[HEAD + i] = (unsigned char)(i * i % 251);
    scratch_write_gzip("t.gz", content, HEAD + ROWS * COLUMNS);
    lg_dataset *dataset = lg_dataset_read_idx("t.gz", NULL);
    ck_assert_msg(dataset != NULL, "%s", lg_error());
    ck_assert_uint_eq(lg_dataset_rows(dataset), ROWS);
    const lg_real *values = lg_dataset_values(dataset, "x");
    size_t wrong = 0;
    for (size_t i = 0; i < ROWS * COLUMNS; i++)
        wrong += values[i] != (lg_real)(i * i % 251);
    ck_assert_uint_eq(wrong, 0);
    lg_dataset_free(dataset);
    free(content);
}
END_TEST

typedef struct refused {
    const char *content;
    size_t bytes;
    lg_status code;
    const char *message;
} refused;

static const refused malformed[] = {
    { "", 0, LG_E_FORMAT, "t.idx: is empty" },
    { "\0", 1, LG_E_FORMAT, "t.idx: byte 0: an IDX file begins with two zero bytes" },
    { "a,b\n1,2\n", 8, LG_E_FORMAT, "t.idx: byte 0: an IDX file begins with two zero bytes" },
    { "\0\0\x08", 3, LG_E_FORMAT, "t.idx: byte 3: the file ends within its header" },
    { "\0\0\x0A\1\0\0\0\1\0", 9, LG_E_FORMAT,
      "t.idx: byte 2: 0x0A is no type of element; IDX has 0x08 ubyte, 0x09 int8, 0x0B int16, 0x0C int32, 0x0D float, "
      "0x0E double" },
    { "\0\0\x08\x21", 4, LG_E_FORMAT, "t.idx: byte 3: an array of 33 axes; at most 32 are possible" },
    { "\0\0\x08\2\0\0\0\1\0\0", 10, LG_E_FORMAT, "t.idx: byte 10: the file ends within its header" },
    { "\0\0\x08\0\7", 5, LG_E_FORMAT, "t.idx: the array is a single number; rows are needed" },
    { "\0\0\x08\1\0\0\0\0", 8, LG_E_FORMAT, "t.idx: the array is 0: there are no rows" },
    { "\0\0\x08\2\0\0\0\2\0\0\0\0", 12, LG_E_FORMAT, "t.idx: the array is 2 x 0: there are no values" },
    { "\0\0\x08\5\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1\7", 25, LG_E_SHAPE,
      "t.idx: the array is 1 x 1 x 1 x 1 x 1; a tensor has at most 4 axes" },
    { PIXELS "12345", 21, LG_E_FORMAT,
      "t.idx: 2 x 1 x 3 ubyte after a header of 16 bytes make 22 bytes, but the file has 21" },
    { PIXELS "1234567", 23, LG_E_FORMAT,
      "t.idx: 2 x 1 x 3 ubyte after a header of 16 bytes make 22 bytes, but the file has 23" },
    { PIXELS, 16, LG_E_FORMAT, "t.idx: 2 x 1 x 3 ubyte after a header of 16 bytes make 22 bytes, but the file has 16" },
    /* 10 GB are promised in a file of 20 bytes, then more than an address space */
    { "\0\0\x08\3\0\1\0\0\0\0\1\x90\0\0\1\x90" "1234", 20, LG_E_FORMAT,
      "t.idx: 65536 x 400 x 400 ubyte after a header of 16 bytes make 10485760016 bytes, but the file has 20" },
    { "\0\0\x0E\3\x7F\xFF\xFF\xFF\x7F\xFF\xFF\xFF\x7F\xFF\xFF\xFF" "1234", 20, LG_E_FORMAT,
      "t.idx: the header promises 2147483647 x 2147483647 x 2147483647 double, more than there can be" },
    { "\0\0\x0D\2\0\0\0\1\0\0\0\2\x3F\x80\0\0\x7F\xC0\0\0", 20, LG_E_FORMAT,
      "t.idx: byte 16: element [0, 1] is nan, and only finite numbers are expected" },
    { "\0\0\x0D\2\0\0\0\2\0\0\0\1\x3F\x80\0\0\xFF\x80\0\0", 20, LG_E_FORMAT,
      "t.idx: byte 16: element [1, 0] is -inf, and only finite numbers are expected" },
};

START_TEST(a_malformed_file_is_told_in_one_sentence)
{
    const refused *r = &malformed[_i];
    scratch_write("t.idx", r->content, r->bytes);
    assert_refused("t.idx", NULL, r->code, r->message);
}
END_TEST

/* Packed, only the end of the file tells its size: nothing may be allocated on the header's word. */
START_TEST(a_packed_file_that_promises_too_much_is_refused)
{
    scratch_write_gzip("t.gz", "\0\0\x08\3\0\1\0\0\0\0\1\x90\0\0\1\x90" "1234", 20);
    assert_refused("t.gz", NULL, LG_E_FORMAT,
                   "t.gz: 65536 x 400 x 400 ubyte after a header of 16 bytes make 10485760016 bytes, but the file has 20");
    scratch_write_gzip("t.gz", PIXELS "1234567", 23);
    assert_refused("t.gz", NULL, LG_E_FORMAT,
                   "t.gz: 2 x 1 x 3 ubyte after a header of 16 bytes make 22 bytes, but the file has more");
}
END_TEST

START_TEST(nan_and_infinity_pass_if_asked)
{
    scratch_write("t.idx", "\0\0\x0D\2\0\0\0\1\0\0\0\2\x3F\x80\0\0\x7F\xC0\0\0", 20);
    lg_dataset *dataset = lg_dataset_read_idx("t.idx", &(lg_read_options){ .csv.missing = LG_MISSING_KEEP });
    ck_assert_ptr_nonnull(dataset);
    ck_assert(isnan(lg_dataset_values(dataset, "x")[1]));
    lg_dataset_free(dataset);
    scratch_write("t.idx", "\0\0\x0D\2\0\0\0\2\0\0\0\1\x3F\x80\0\0\xFF\x80\0\0", 20);
    assert_refused("t.idx", &(lg_read_options){ .csv.missing = LG_MISSING_KEEP }, LG_E_FORMAT,
                   "t.idx: byte 16: element [1, 0] is -inf, and only finite numbers are expected");
    dataset = lg_dataset_read_idx("t.idx", &(lg_read_options){ .csv.allow_nonfinite = true });
    ck_assert(isinf(lg_dataset_values(dataset, "x")[1]));
    lg_dataset_free(dataset);
}
END_TEST

START_TEST(a_file_that_cannot_be_read_is_told)
{
    assert_refused("none.idx", NULL, LG_E_IO, "none.idx: cannot be opened: No such file or directory");
    assert_refused("/", NULL, LG_E_IO, "/: is a directory, not a file");
    lg_error_clear();
    ck_assert_ptr_null(lg_dataset_read_idx(NULL, NULL));
    ck_assert_int_eq(lg_error_code(), LG_E_PARAM);
}
END_TEST

Suite *idx_suite(void)
{
    Suite *suite = suite_create("idx");
    TCase *tcase = tcase_create("idx");
    tcase_add_checked_fixture(tcase, scratch_enter, scratch_leave);
    tcase_add_loop_test(tcase, every_type_of_element_is_read_plain_and_packed, 0, COUNT(reference_idx));
    tcase_add_test(tcase, bytes_become_shares_of_255_if_asked);
    tcase_add_test(tcase, a_file_longer_than_a_buffer_is_whole);
    tcase_add_loop_test(tcase, a_malformed_file_is_told_in_one_sentence, 0, COUNT(malformed));
    tcase_add_test(tcase, a_packed_file_that_promises_too_much_is_refused);
    tcase_add_test(tcase, nan_and_infinity_pass_if_asked);
    tcase_add_test(tcase, a_file_that_cannot_be_read_is_told);
    suite_add_tcase(suite, tcase);
    return suite;
}
