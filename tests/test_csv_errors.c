/* Files and options that do not work, and the sentence that each earns. */
#include "data/csv.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

#include "scratch.h"

static void assert_refused(const char *path, const lg_csv_options *options, lg_status code, const char *message)
{
    lg_error_clear();
    lg_dataset *dataset = lg_dataset_read_csv(path, options);
    ck_assert_msg(dataset == NULL, "read, but expected: %s", message);
    ck_assert_str_eq(lg_error(), message);
    ck_assert_int_eq(lg_error_code(), code);
}

typedef struct {
    const char *text;
    lg_csv_options options;
    const char *message;
} refused;

static void assert_all_refused(const refused *cases, size_t count, lg_status code)
{
    for (size_t i = 0; i < count; i++) {
        scratch_write_text("t.csv", cases[i].text);
        assert_refused("t.csv", &cases[i].options, code, cases[i].message);
    }
}

#define COUNT(array) (sizeof(array) / sizeof *(array))

START_TEST(a_bad_cell_is_named_with_line_and_column)
{
    static const refused cases[] = {
        { "Time,Amount\n1,2\n3,\"12,5\"\n", { 0 }, "t.csv:3: column \"Amount\": \"12,5\" is not a number" },
        { "1,2\n3,4\n5,x\n", { 0 }, "t.csv:3: column \"1\": \"x\" is not a number" },
        { "a,b\r\n\"1\",2\r\n\r\nz,2\r\n", { 0 }, "t.csv:4: column \"a\": \"z\" is not a number" },
        { "a,b\r1,2\rz,2\r", { 0 }, "t.csv:3: column \"a\": \"z\" is not a number" },
        { "t,b\n\"x\ny\n\nz\",2\nx,w\n", { 0 }, "t.csv:6: column \"b\": \"w\" is not a number" },
        { "t,b\n\"x\r\ny\rz\",2\nx,w\n", { 0 }, "t.csv:5: column \"b\": \"w\" is not a number" },
        { "t,b\nx,2\n\"x\ny\",w\n", { 0 }, "t.csv:4: column \"b\": \"w\" is not a number" },
        { "about\nthis\na,b\n1,2\n1,w\n", { .skip_lines = 2 }, "t.csv:5: column \"b\": \"w\" is not a number" },
        { "\xEF\xBB\xBF" "a,b\n1,2\n1,w\n", { 0 }, "t.csv:3: column \"b\": \"w\" is not a number" },
        { "a,b\n1,2\n1,0x10\n", { 0 }, "t.csv:3: column \"b\": \"0x10\" is not a number" },
        { "a,b\n1,2\n1,inf\n", { 0 }, "t.csv:3: column \"b\": \"inf\" is not a finite number" },
        { "a,b\n1,2\n1,1e999\n", { 0 }, "t.csv:3: column \"b\": \"1e999\" is too large" },
        { "a,b\n1,2\n1,1e999\n", { .allow_nonfinite = true }, "t.csv:3: column \"b\": \"1e999\" is too large" },
        { "a,b\n1,2\n1,\"x\n\ty\"\n", { 0 }, "t.csv:3: column \"b\": \"x??y\" is not a number" },
        { "a,b\n1,2\n1,0123456789012345678901234567890123456789x\n", { 0 },
          "t.csv:3: column \"b\": \"0123456789012345678901234567890123456789...\" is not a number" },
        { "y,b\n1,2\nq,2\n", { .target = "y" }, "t.csv:3: column \"y\": \"q\" is not a number" },
        { "y,b\nq,2\nq,2\n", { .target = "y", .target_kind = LG_VALUES },
          "t.csv:2: column \"y\": \"q\" is not a number" },
    };
    assert_all_refused(cases, COUNT(cases), LG_E_FORMAT);
}
END_TEST

START_TEST(a_missing_cell_is_named_with_line_and_column)
{
    static const refused cases[] = {
        { "a,b\n1,2\n1,\n", { 0 },
          "t.csv:3: column \"b\": \"\" is a missing value; options (missing) can fill or drop it" },
        { "a,b\n1,2\n1,NA\n", { 0 },
          "t.csv:3: column \"b\": \"NA\" is a missing value; options (missing) can fill or drop it" },
        { "a,b\n1,2\n?,1\n", { 0 },
          "t.csv:3: column \"a\": \"?\" is a missing value; options (missing) can fill or drop it" },
        { "a,b\n1,2\n1,nan\n", { 0 },
          "t.csv:3: column \"b\": \"nan\" is a missing value; options (missing) can fill or drop it" },
        { "a,b\n1,2\n1,NA\n", { .target = "b", .missing = LG_MISSING_MEAN },
          "t.csv:3: column \"b\": \"NA\" is a missing value, and this is the target; options (missing) can drop the "
          "row" },
        { "a,b\n1,NA\n2,NA\n", { .missing = LG_MISSING_MEAN },
          "t.csv: column \"b\" has no values at all; leave it out (drop)" },
        { "a,b\n1,NA\n?,2\n", { .missing = LG_MISSING_DROP_ROW }, "t.csv: there are no rows without a missing value" },
    };
    assert_all_refused(cases, COUNT(cases), LG_E_FORMAT);
}
END_TEST

START_TEST(a_bad_table_is_told_in_one_sentence)
{
    static const refused cases[] = {
        { "", { 0 }, "t.csv: is empty" },
        { "\n\n", { 0 }, "t.csv: there are no rows" },
        { "a,b\n", { 0 }, "t.csv: there is a header, but no rows" },
        { "a\n", { .skip_lines = 5 }, "t.csv: there are no rows" },
        { "a,b\n1,2\n1\n", { 0 }, "t.csv:3: 1 cells, but the first row has 2" },
        { "a,b\n1,2\n1,2,\n", { 0 }, "t.csv:3: 3 cells, but the first row has 2" },
        { "a,b,a\n1,2,3\n", { 0 }, "t.csv:1: the header names two columns \"a\": 0 and 2, counted from 0" },
        { "a;b\n1;2\n", { .target = "0" }, "t.csv: there is only one column; is the delimiter ';'?" },
        { "a\n1\n2\n", { .target = "a" }, "t.csv: there is no column left for features" },
        { "a,b\n1,\"2\n3,4\n", { 0 }, "t.csv:2: a quote opens here and is never closed" },
        { "a,b\n1,2\n1,\"2\"3\n", { 0 },
          "t.csv:3: there is text after a closing quote; a quote inside a cell is written twice" },
        { "a,b\n1,u\n2,v\n3,w\n", { .max_categories = 2 },
          "t.csv:4: column \"b\" has more than 2 different texts; leave it out (drop), or raise max_categories" },
        { "a,b\n1,2\n3,2\n", { .target = "b" },
          "t.csv: column \"b\": the target is 2 in every row; there is nothing to learn" },
        { "a,b\n1,u\n3,u\n", { .target = "b" },
          "t.csv: column \"b\": the target is \"u\" in every row; a classifier needs at least two classes" },
        { "a,b\n1,u\n2,v\n3,w\n", { .target = "b", .target_kind = LG_BINARY },
          "t.csv: column \"b\" has 3 classes; say which one is positive" },
    };
    assert_all_refused(cases, COUNT(cases), LG_E_FORMAT);
}
END_TEST

START_TEST(options_that_do_not_fit_the_file_are_told)
{
    static const char *const lost[] = { "idd", NULL };
    static const refused cases[] = {
        { "Amount,Class\n1,0\n", { .target = "class" },
          "t.csv: there is no column \"class\" for the target, did you mean \"Class\"?" },
        { "Amount,Class\n1,0\n", { .target = "price" }, "t.csv: there is no column \"price\" for the target" },
        { "a,b\n1,0\n", { .target = "2" }, "t.csv: there is no column 2 for the target; there are 2, 0 .. 1 or -2 .. -1" },
        { "a,b\n1,0\n", { .target = "-3" },
          "t.csv: there is no column -3 for the target; there are 2, 0 .. 1 or -2 .. -1" },
        { "id,b\n1,0\n", { .drop = lost }, "t.csv: there is no column \"idd\" for leaving out, did you mean \"id\"?" },
        { "a,type\n1,spam\n2,ham\n", { .target = "type", .positive = "spma" },
          "t.csv: column \"type\" has no class \"spma\", did you mean \"spam\"?" },
        { "a,b\n1,0\n", { .delimiter = '"' }, "t.csv: a quote or line end cannot be the delimiter" },
        { "a,b\n1,0\n", { .target = "b", .target_kind = LG_VALUES, .positive = "1" },
          "t.csv: a positive class is for a binary target" },
    };
    assert_all_refused(cases, COUNT(cases), LG_E_PARAM);
}
END_TEST

START_TEST(a_file_that_cannot_be_read_is_told)
{
    assert_refused("none.csv", NULL, LG_E_IO, "none.csv: cannot be opened: No such file or directory");
    ck_assert_int_eq(mkdir("folder.csv", 0700), 0);
    assert_refused("folder.csv", NULL, LG_E_IO, "folder.csv: is a directory, not a file");
    lg_error_clear();
    ck_assert_ptr_null(lg_dataset_read_csv(NULL, NULL));
    ck_assert_str_eq(lg_error(), "read_csv: no path");
}
END_TEST

START_TEST(bytes_that_are_no_text_are_told)
{
    scratch_write("t.csv", "a,b\n1,2\n3,\0\n", 12);
    assert_refused("t.csv", NULL, LG_E_FORMAT, "t.csv:3: there is a zero byte; this is not a text file");
    scratch_write("t.csv", "a,b\n1,2\n3,\"\n\0\"\n", 15);
    assert_refused("t.csv", NULL, LG_E_FORMAT, "t.csv:4: there is a zero byte; this is not a text file");
    scratch_write("t.csv", "\xFF\xFE" "a\0,\0b\0", 8);
    assert_refused("t.csv", NULL, LG_E_FORMAT, "t.csv: is UTF-16; save it as UTF-8");
}
END_TEST

/* Packs 20000 rows, and hands the bytes to be cut or changed. */
static size_t packed_rows(unsigned char *bytes, size_t capacity)
{
    enum { TEXT = 1 << 20 };
    char *text = malloc(TEXT), *p = text;
    p += sprintf(p, "a,b\n");
    for (unsigned i = 0; i < 20000; i++)
        p += sprintf(p, "%u,%u\n", i, i * 2654435761u);
    scratch_write_gzip("t.csv", text, (size_t)(p - text));
    free(text);
    FILE *file = fopen("t.csv", "rb");
    size_t count = fread(bytes, 1, capacity, file);
    fclose(file);
    ck_assert_uint_gt(count, 50000);
    ck_assert_uint_lt(count, capacity);
    return count;
}

START_TEST(a_gzip_file_that_was_cut_off_is_refused)
{
    static unsigned char bytes[1 << 20];
    size_t count = packed_rows(bytes, sizeof bytes);
    static const size_t lost[] = { 1, 8, 9, 1000, 40000 };
    for (size_t i = 0; i < COUNT(lost); i++) {
        scratch_write("t.csv", bytes, count - lost[i]);
        assert_refused("t.csv", NULL, LG_E_FORMAT, "t.csv: the gzip file ends too early; it was cut off");
    }
}
END_TEST

START_TEST(a_gzip_file_that_was_changed_is_refused)
{
    static unsigned char bytes[1 << 20];
    size_t count = packed_rows(bytes, sizeof bytes);
    bytes[count - 8] ^= 1; /* the checksum */
    scratch_write("t.csv", bytes, count);
    assert_refused("t.csv", NULL, LG_E_FORMAT, "t.csv: the gzip file is damaged: incorrect data check");
    bytes[count - 8] ^= 1;
    bytes[count / 2] ^= 0x55;
    scratch_write("t.csv", bytes, count);
    ck_assert_ptr_null(lg_dataset_read_csv("t.csv", NULL));
    ck_assert_int_eq(lg_error_code(), LG_E_FORMAT);
}
END_TEST

Suite *csv_errors_suite(void)
{
    Suite *suite = suite_create("csv_errors");
    TCase *tcase = tcase_create("csv_errors");
    tcase_add_checked_fixture(tcase, scratch_enter, scratch_leave);
    tcase_add_test(tcase, a_bad_cell_is_named_with_line_and_column);
    tcase_add_test(tcase, a_missing_cell_is_named_with_line_and_column);
    tcase_add_test(tcase, a_bad_table_is_told_in_one_sentence);
    tcase_add_test(tcase, options_that_do_not_fit_the_file_are_told);
    tcase_add_test(tcase, a_file_that_cannot_be_read_is_told);
    tcase_add_test(tcase, bytes_that_are_no_text_are_told);
    tcase_add_test(tcase, a_gzip_file_that_was_cut_off_is_refused);
    tcase_add_test(tcase, a_gzip_file_that_was_changed_is_refused);
    suite_add_tcase(suite, tcase);
    return suite;
}
