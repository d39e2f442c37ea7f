#include "data/csv.h"

#include <check.h>
#include <locale.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "fail_alloc.h"
#include "scratch.h"

static lg_dataset *read_text(const char *text, const lg_csv_options *options)
{
    scratch_write_text("t.csv", text);
    lg_dataset *dataset = lg_dataset_read_csv("t.csv", options);
    ck_assert_msg(dataset != NULL, "%s", lg_error());
    return dataset;
}

/* Compares field "x" with rows x features values. */
static void assert_x(const lg_dataset *dataset, size_t rows, size_t features, const double *expected)
{
    ck_assert_uint_eq(lg_dataset_rows(dataset), rows);
    ck_assert_uint_eq(lg_dataset_features(dataset), features);
    const lg_real *x = lg_dataset_values(dataset, "x");
    for (size_t k = 0; k < rows * features; k++)
        ck_assert_msg(x[k] == (lg_real)expected[k] || (isnan(x[k]) && isnan(expected[k])), "x[%zu] is %g, not %g", k,
                      (double)x[k], expected[k]);
}

static void assert_features(const lg_dataset *dataset, size_t count, ...)
{
    va_list names;
    va_start(names, count);
    for (size_t f = 0; f < count; f++)
        ck_assert_str_eq(lg_dataset_feature_name(dataset, f), va_arg(names, const char *));
    va_end(names);
    ck_assert_ptr_null(lg_dataset_feature_name(dataset, count));
}

static void assert_classes(const lg_dataset *dataset, size_t count, ...)
{
    va_list names;
    va_start(names, count);
    ck_assert_uint_eq(lg_dataset_classes(dataset), count);
    for (size_t c = 0; c < count; c++)
        ck_assert_str_eq(lg_dataset_class_name(dataset, c), va_arg(names, const char *));
    va_end(names);
}

/* ---- the format ---------------------------------------------------------------------------------------------------- */

START_TEST(quoted_cells_hold_delimiters_line_ends_and_quotes)
{
    lg_dataset *dataset = read_text("name,\"the, value\",kind\n"
                                    "\"a,b\",1,\"say \"\"x\"\"\"\n"
                                    "\"c\nd\",\"2\",r\n"
                                    "\"\"\"\",3,r\n",
                                    &(lg_csv_options){ .target = "kind", .text = LG_TEXT_CODES });
    assert_features(dataset, 2, "name", "the, value");
    assert_x(dataset, 3, 2, (double[]){ 1, 1, 2, 2, 0, 3 });
    const lg_category_column *name = lg_dataset_category_column(dataset, 0);
    ck_assert_uint_eq(name->categories, 3);
    ck_assert_str_eq(name->category[0], "\"");
    ck_assert_str_eq(name->category[1], "a,b");
    ck_assert_str_eq(name->category[2], "c\nd");
    assert_classes(dataset, 2, "r", "say \"x\"");
    lg_dataset_free(dataset);
}
END_TEST

START_TEST(every_kind_of_line_end_is_read)
{
    static const char *const texts[] = { "a,b\n1,2\n3,4\n", "a,b\r\n1,2\r\n3,4\r\n", "a,b\r1,2\r3,4\r", "a,b\r\n1,2\n3,4",
                                         ("\xEF\xBB\xBF" "a,b\n1,2\n3,4"), "\n\na,b\n\n1,2\r\n\r\n3,4\n\n\n",
                                         "a , b\n 1,\t2 \n3 , \"4\" \n" };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        lg_dataset *dataset = read_text(texts[i], NULL);
        assert_features(dataset, 2, "a", "b");
        assert_x(dataset, 2, 2, (double[]){ 1, 2, 3, 4 });
        ck_assert_ptr_null(lg_dataset_field(dataset, "y"));
        lg_dataset_free(dataset);
    }
}
END_TEST

START_TEST(any_delimiter_will_do)
{
    lg_dataset *dataset = read_text("a;b\n1;2\n", &(lg_csv_options){ .delimiter = ';' });
    assert_x(dataset, 1, 2, (double[]){ 1, 2 });
    lg_dataset_free(dataset);
    dataset = read_text("a\tb\n1\t2\n", &(lg_csv_options){ .delimiter = '\t' });
    assert_x(dataset, 1, 2, (double[]){ 1, 2 });
    lg_dataset_free(dataset);
    dataset = read_text("1 2\n3 4\n", &(lg_csv_options){ .delimiter = ' ' });
    assert_x(dataset, 2, 2, (double[]){ 1, 2, 3, 4 });
    lg_dataset_free(dataset);
}
END_TEST

/* 60000 rows are some 1.3 MB, so cells, quotes and CRLF fall on the ends of the reader's buffer in all ways; the quoted
 * cell of 900 kB is longer than the buffer at first. */
START_TEST(tables_larger_than_the_buffer_are_read_plain_and_packed)
{
    enum { ROWS = 60000, LONG = 900000 };
    char *text = malloc(ROWS * 40 + LONG + 100), *p = text;
    p += sprintf(p, "v,text,w\r\n");
    for (int i = 0; i < ROWS; i++)
        p += sprintf(p, "%d,\"%s\"\"\r\n%d\",%d.5\r\n", i, i % 3 ? "," : ";,", i % 7, 2 * i);
    p += sprintf(p, "-1,\"");
    memset(p, '\n', LONG);
    p += LONG;
    p += sprintf(p, "\",-1");
    scratch_write("plain.csv", text, (size_t)(p - text));
    scratch_write_gzip("packed.csv", text, (size_t)(p - text));
    free(text);
    static const char *const names[] = { "plain.csv", "packed.csv" };
    for (size_t k = 0; k < 2; k++) {
        lg_dataset *dataset = lg_dataset_read_csv(names[k], &(lg_csv_options){ .text = LG_TEXT_CODES });
        ck_assert_msg(dataset != NULL, "%s", lg_error());
        ck_assert_uint_eq(lg_dataset_rows(dataset), ROWS + 1);
        ck_assert_uint_eq(lg_dataset_category_column(dataset, 0)->categories, 15);
        const lg_real *x = lg_dataset_values(dataset, "x");
        for (size_t i = 0; i < ROWS; i++) {
            ck_assert_double_eq(x[3 * i], (double)i);
            ck_assert_double_eq(x[3 * i + 2], 2.0 * (double)i + 0.5);
        }
        ck_assert_double_eq(x[3 * ROWS + 1], 0);
        ck_assert_uint_eq(strlen(lg_dataset_category_column(dataset, 0)->category[0]), LONG);
        lg_dataset_free(dataset);
    }
}
END_TEST

START_TEST(a_header_is_found_by_looking)
{
    static const struct {
        const char *text;
        lg_header header;
        size_t rows;
        const char *first;
    } cases[] = {
        { "a,b\n1,2\n", LG_HEADER_AUTO, 1, "a" },      { "1,2\n3,4\n", LG_HEADER_AUTO, 2, "0" },
        { "a,5\n1,2\n", LG_HEADER_AUTO, 2, "0=1" },    { "2019,2020\n3,4\n", LG_HEADER_YES, 1, "2019" },
        { "a,b\nc,d\n", LG_HEADER_NO, 2, "0=a" },      { "a,b\nc,d\n", LG_HEADER_AUTO, 1, "a=c" },
        { "\"\",b\n1,2\n", LG_HEADER_AUTO, 1, "0" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        lg_dataset *dataset = read_text(cases[i].text, &(lg_csv_options){ .header = cases[i].header });
        ck_assert_uint_eq(lg_dataset_rows(dataset), cases[i].rows);
        ck_assert_str_eq(lg_dataset_feature_name(dataset, 0), cases[i].first);
        lg_dataset_free(dataset);
    }
}
END_TEST

/* Debian's smallest systems have no locale with a decimal comma, but most can make one. */
static bool enter_comma_locale(void)
{
    return system("localedef -i de_DE -f UTF-8 ./de_DE.UTF-8 2>/dev/null") == 0 && setenv("LOCPATH", ".", 1) == 0
           && setlocale(LC_ALL, "de_DE.UTF-8");
}

START_TEST(numbers_do_not_depend_on_the_locale)
{
    if (!enter_comma_locale()) {
        fprintf(stderr, "csv: no locale with a decimal comma here; that test was skipped\n");
        return;
    }
    char shown[8];
    snprintf(shown, sizeof shown, "%.1f", 1.5);
    ck_assert_str_eq(shown, "1,5");
    lg_dataset *dataset = read_text("a,b\n1.5,1.500000000000000000000001\n", NULL);
    scratch_write_text("t.csv", "a,b\n1,2\n\"1,5\",2\n");
    lg_dataset *comma = lg_dataset_read_csv("t.csv", NULL);
    setlocale(LC_ALL, "C");
    assert_x(dataset, 1, 2, (double[]){ 1.5, 1.5 });
    ck_assert_ptr_null(comma);
    ck_assert_str_eq(lg_error(), "t.csv:3: column \"a\": \"1,5\" is not a number");
    lg_dataset_free(dataset);
}
END_TEST

/* ---- the target ---------------------------------------------------------------------------------------------------- */

START_TEST(the_target_is_found_by_name_or_index)
{
    static const char *const names[] = { "b", "1", "-2" };
    for (size_t i = 0; i < 3; i++) {
        lg_dataset *dataset = read_text("a,b,c\n1,2,3\n4,5,6\n", &(lg_csv_options){ .target = names[i] });
        assert_features(dataset, 2, "a", "c");
        assert_x(dataset, 2, 2, (double[]){ 1, 3, 4, 6 });
        ck_assert_double_eq(lg_dataset_values(dataset, "y")[1], 5);
        ck_assert_str_eq(lg_dataset_target_name(dataset), "b");
        ck_assert_uint_eq(lg_dataset_classes(dataset), 0);
        lg_dataset_free(dataset);
    }
}
END_TEST

START_TEST(classes_of_numbers_are_ordered_by_value_and_equal_numbers_are_one)
{
    lg_dataset *dataset = read_text("x,y\n0,10\n0,9\n0,9.0\n0,-1\n0,1e1\n",
                                    &(lg_csv_options){ .target = "y", .target_kind = LG_CLASSES });
    assert_classes(dataset, 3, "-1", "9", "10");
    ck_assert_mem_eq(lg_dataset_indices(dataset, "y"), ((int32_t[]){ 2, 1, 1, 0, 2 }), 20);
    lg_dataset_free(dataset);
}
END_TEST

START_TEST(classes_of_text_are_sorted)
{
    lg_dataset *dataset = read_text("x,y\n0,b\n0,10\n0,a\n0,9\n", &(lg_csv_options){ .target = "y" , .header = LG_HEADER_YES });
    assert_classes(dataset, 4, "10", "9", "a", "b");
    ck_assert_mem_eq(lg_dataset_indices(dataset, "y"), ((int32_t[]){ 3, 0, 2, 1 }), 16);
    lg_dataset_free(dataset);
}
END_TEST

START_TEST(a_binary_target_is_one_where_the_class_is_positive)
{
    static const struct {
        const char *positive, *text, *zero, *one;
        double y[3];
    } cases[] = {
        { "spam", "x,y\n0,spam\n0,ham\n0,spam\n", "ham", "spam", { 1, 0, 1 } },
        { "ham", "x,y\n0,spam\n0,ham\n0,spam\n", "spam", "ham", { 0, 1, 0 } },
        { NULL, "x,y\n0,spam\n0,ham\n0,spam\n", "ham", "spam", { 1, 0, 1 } },
        { NULL, "x,y\n0,1\n0,0\n0,0\n", "0", "1", { 1, 0, 0 } },
        { "1", "x,y\n0,1.0\n0,2.0\n0,1\n", "2.0", "1.0", { 1, 0, 1 } },
        { "b", "x,y\n0,a\n0,b\n0,c\n", "not b", "b", { 0, 1, 0 } },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        lg_dataset *dataset = read_text(
            cases[i].text, &(lg_csv_options){ .target = "y", .target_kind = LG_BINARY, .positive = cases[i].positive });
        assert_classes(dataset, 2, cases[i].zero, cases[i].one);
        for (size_t k = 0; k < 3; k++)
            ck_assert_double_eq(lg_dataset_values(dataset, "y")[k], cases[i].y[k]);
        lg_dataset_free(dataset);
    }
}
END_TEST

/* ---- features ------------------------------------------------------------------------------------------------------ */

static const char *const pets = "weight,pet,colour\n1,dog,red\n2,cat,blue\n3,dog,blue\n";

START_TEST(text_becomes_indicators)
{
    lg_dataset *dataset = read_text(pets, NULL);
    assert_features(dataset, 5, "weight", "pet=cat", "pet=dog", "colour=blue", "colour=red");
    assert_x(dataset, 3, 5, (double[]){ 1, 0, 1, 0, 1, 2, 1, 0, 1, 0, 3, 0, 1, 1, 0 });
    const lg_category_column *colour = lg_dataset_category_column(dataset, 1);
    ck_assert_str_eq(colour->name, "colour");
    ck_assert_uint_eq(colour->first_feature, 3);
    ck_assert_uint_eq(colour->features, 2);
    ck_assert_str_eq(colour->category[1], "red");
    ck_assert_ptr_null(lg_dataset_category_column(dataset, 2));
    lg_dataset_free(dataset);
}
END_TEST

START_TEST(text_becomes_codes_on_request)
{
    lg_dataset *dataset = read_text(pets, &(lg_csv_options){ .text = LG_TEXT_CODES });
    assert_features(dataset, 3, "weight", "pet", "colour");
    assert_x(dataset, 3, 3, (double[]){ 1, 1, 1, 2, 0, 0, 3, 1, 0 });
    ck_assert_uint_eq(lg_dataset_category_column(dataset, 0)->features, 1);
    lg_dataset_free(dataset);
}
END_TEST

START_TEST(columns_can_be_left_out_and_read_as_text)
{
    lg_dataset *dataset =
        read_text("id,zip,v\n7,01,1\n8,1,2\n", &(lg_csv_options){ .drop = (const char *const[]){ "id", NULL },
                                                                 .text_columns = (const char *const[]){ "zip", NULL } });
    assert_features(dataset, 3, "zip=01", "zip=1", "v");
    assert_x(dataset, 2, 3, (double[]){ 1, 0, 1, 0, 1, 2 });
    lg_dataset_free(dataset);
}
END_TEST

static const char *const gaps = "a,b,t\n1,,u\nNA,4,?\n3,8,w\n10,NaN,u\n";

START_TEST(missing_numbers_are_kept_or_filled_on_request)
{
    static const struct {
        lg_missing missing;
        double a, b;
    } cases[] = { { LG_MISSING_KEEP, NAN, NAN },
                  { LG_MISSING_MEAN, 14.0 / 3, 6 },
                  { LG_MISSING_MEDIAN, 3, 6 },
                  { LG_MISSING_CONSTANT, -9, -9 } };
    for (size_t i = 0; i < 4; i++) {
        lg_dataset *dataset = read_text(gaps, &(lg_csv_options){ .missing = cases[i].missing, .missing_value = -9 });
        assert_features(dataset, 5, "a", "b", "t=u", "t=w", "t=NA");
        assert_x(dataset, 4, 5, (double[]){ 1, cases[i].b, 1, 0, 0, cases[i].a, 4, 0, 0, 1, 3, 8, 0, 1, 0, 10, cases[i].b,
                                            1, 0, 0 });
        lg_dataset_free(dataset);
    }
}
END_TEST

START_TEST(rows_with_gaps_are_dropped_on_request_with_their_texts)
{
    lg_dataset *dataset = read_text(gaps, &(lg_csv_options){ .missing = LG_MISSING_DROP_ROW });
    assert_features(dataset, 3, "a", "b", "t=w");
    assert_x(dataset, 1, 3, (double[]){ 3, 8, 1 });
    lg_dataset_free(dataset);
}
END_TEST

START_TEST(infinity_and_nan_are_numbers_on_request)
{
    lg_dataset *dataset = read_text("a,b\n1,inf\nnan,-Infinity\n", &(lg_csv_options){ .allow_nonfinite = true });
    assert_x(dataset, 2, 2, (double[]){ 1, INFINITY, NAN, -INFINITY });
    lg_dataset_free(dataset);
    dataset = read_text("a,b\n1,2\nnan,-3\n",
                        &(lg_csv_options){ .allow_nonfinite = true, .missing = LG_MISSING_CONSTANT, .missing_value = 7 });
    assert_x(dataset, 2, 2, (double[]){ 1, 2, 7, -3 });
    lg_dataset_free(dataset);
}
END_TEST

/* ---- a second file of the same kind -------------------------------------------------------------------------------- */

START_TEST(a_file_is_read_like_another)
{
    lg_dataset *first = read_text("n,pet,y\n1,dog,no\n2,cat,yes\n3,,no\n",
                                  &(lg_csv_options){ .target = "y", .missing = LG_MISSING_MEAN });
    lg_csv_options options = { .like = first, .missing = LG_MISSING_MEAN };
    lg_dataset *second = read_text("extra,y,pet,n\n0,no,cat,5\n0,no,NA,6\n", &options);
    assert_features(second, 4, "n", "pet=cat", "pet=dog", "pet=NA");
    assert_x(second, 2, 4, (double[]){ 5, 1, 0, 0, 6, 0, 0, 1 });
    assert_classes(second, 2, "no", "yes");
    ck_assert_mem_eq(lg_dataset_indices(second, "y"), ((int32_t[]){ 0, 0 }), 8);
    lg_dataset_free(second);
    second = read_text("pet,n\ndog,5\n", &options);
    assert_x(second, 1, 4, (double[]){ 5, 0, 1, 0 });
    ck_assert_ptr_null(lg_dataset_field(second, "y"));
    lg_dataset_free(second);

    scratch_write_text("t.csv", "pet,n\ndog,5\nsnake,6\n");
    ck_assert_ptr_null(lg_dataset_read_csv("t.csv", &options));
    ck_assert_str_eq(lg_error(), "t.csv:3: column \"pet\": \"snake\" is not known; the data set to read the file like "
                                 "does not have it");
    scratch_write_text("t.csv", "pet\ndog\n");
    ck_assert_ptr_null(lg_dataset_read_csv("t.csv", &options));
    ck_assert_str_eq(lg_error(), "t.csv: the feature \"n\" is missing");
    lg_dataset_free(first);
}
END_TEST

START_TEST(codes_and_binary_targets_are_read_like_another)
{
    lg_dataset *first = read_text("pet,y\ndog,a\ncat,b\nowl,c\n",
                                  &(lg_csv_options){ .target = "y", .positive = "b", .text = LG_TEXT_CODES });
    lg_dataset *second = read_text("pet,y\nowl,z\ncat,a\n", &(lg_csv_options){ .like = first });
    assert_x(second, 2, 1, (double[]){ 2, 0 });
    assert_classes(second, 2, "not b", "b");
    ck_assert_double_eq(lg_dataset_values(second, "y")[0], 0);
    lg_dataset_free(second);
    second = read_text("pet,y\nowl,b\n", &(lg_csv_options){ .like = first });
    ck_assert_double_eq(lg_dataset_values(second, "y")[0], 1);
    lg_dataset_free(second);
    lg_dataset_free(first);
}
END_TEST

/* What a model in a file says of its columns: names and texts, but no rows of its own. */
static lg_dataset *described(void)
{
    lg_dataset *like = lg_dataset_from_arrays(1, 3, (lg_real[]){ 0, 0, 0 }, NULL);
    ck_assert_ptr_nonnull(like);
    ck_assert_int_eq(lg_dataset_set_feature_names(like, 3, (const char *[]){ "n", "pet=cat", "pet=dog" }), LG_OK);
    const lg_category_column pet = { .name = "pet", .first_feature = 1, .features = 2, .categories = 2,
                                     .category = (const char *[]){ "cat", "dog" } };
    ck_assert_int_eq(lg_dataset_add_category_column(like, &pet), LG_OK);
    return like;
}

START_TEST(a_file_is_read_like_a_description)
{
    lg_dataset *like = described();
    lg_dataset *rows = read_text("other,pet,n\n9,dog,5\n9,cat,6\n", &(lg_csv_options){ .like = like });
    assert_features(rows, 3, "n", "pet=cat", "pet=dog");
    assert_x(rows, 2, 3, (double[]){ 5, 0, 1, 6, 1, 0 });
    lg_dataset_free(rows);

    const char *const texts[] = { "x", "y" };
    const lg_category_column wrong[] = { { "again", 1, 2, 2, texts }, { "beyond", 3, 2, 2, texts }, { "wide", 0, 2, 1, texts },
                                         { "empty", 0, 1, 0, texts }, { NULL, 0, 1, 2, texts }, { "no texts", 0, 1, 2, NULL } };
    const lg_status status[] = { LG_E_INDEX, LG_E_INDEX, LG_E_PARAM, LG_E_PARAM, LG_E_PARAM, LG_E_PARAM };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        ck_assert_int_eq(lg_dataset_add_category_column(like, &wrong[i]), status[i]);
    lg_dataset_free(like);
}
END_TEST

START_TEST(without_a_header_a_file_is_read_like_another_by_position)
{
    lg_dataset *like = described();
    lg_dataset *rows = read_text("5,dog\n6,cat\n", &(lg_csv_options){ .like = like });
    assert_x(rows, 2, 3, (double[]){ 5, 0, 1, 6, 1, 0 });
    lg_dataset_free(rows);
    rows = read_text("1,5,dog\n0,6,cat\n", &(lg_csv_options){ .like = like, .target = "0" });
    assert_x(rows, 2, 3, (double[]){ 5, 0, 1, 6, 1, 0 });
    lg_dataset_free(rows);
    scratch_write_text("t.csv", "1,5,dog\n");
    ck_assert_ptr_null(lg_dataset_read_csv("t.csv", &(lg_csv_options){ .like = like }));
    ck_assert_str_eq(lg_error(), "t.csv: has no header, and columns for 3 features where there should be 2");
    lg_dataset_free(like);
}
END_TEST

START_TEST(a_description_that_names_a_column_twice_is_refused)
{
    lg_dataset *like = lg_dataset_from_arrays(1, 3, (lg_real[]){ 0, 0, 0 }, NULL);
    ck_assert_int_eq(lg_dataset_set_feature_names(like, 3, (const char *[]){ "n", "n", "n" }), LG_OK);
    scratch_write_text("t.csv", "n\n1\n");
    ck_assert_ptr_null(lg_dataset_read_csv("t.csv", &(lg_csv_options){ .like = like }));
    ck_assert_str_eq(lg_error(), "t.csv: the data set to read it like has two features \"n\"");
    lg_dataset_free(like);
}
END_TEST

/* ---- real files: counts from the files' descriptions (data/README.md) ---------------------------------------------- */

static void assert_class_counts(const lg_dataset *dataset, const size_t *expected)
{
    size_t rows = lg_dataset_rows(dataset), count[16] = { 0 };
    int32_t *labels = malloc(rows * sizeof *labels);
    ck_assert_int_eq(lg_dataset_labels(dataset, NULL, 0, labels), LG_OK);
    for (size_t i = 0; i < rows; i++)
        count[labels[i]]++;
    for (size_t c = 0; c < lg_dataset_classes(dataset); c++)
        ck_assert_uint_eq(count[c], expected[c]);
    free(labels);
}

START_TEST(the_digits_are_read)
{
    lg_dataset *dataset =
        lg_dataset_read_csv(data_file("digits.csv.gz"), &(lg_csv_options){ .target = "-1", .target_kind = LG_CLASSES });
    ck_assert_uint_eq(lg_dataset_rows(dataset), 1797);
    ck_assert_uint_eq(lg_dataset_features(dataset), 64);
    ck_assert_str_eq(lg_dataset_class_name(dataset, 9), "9");
    assert_class_counts(dataset, (size_t[]){ 178, 182, 177, 183, 181, 182, 181, 179, 174, 180 });
    ck_assert_double_eq(lg_dataset_values(dataset, "x")[3], 13);
    lg_dataset_free(dataset);
}
END_TEST

START_TEST(spam_and_shuttle_are_read)
{
    lg_dataset *spam =
        lg_dataset_read_csv(data_file("spam.csv.gz"), &(lg_csv_options){ .target = "type", .positive = "spam" });
    ck_assert_uint_eq(lg_dataset_features(spam), 57);
    assert_classes(spam, 2, "nonspam", "spam");
    assert_class_counts(spam, (size_t[]){ 2788, 1813 });
    lg_dataset_free(spam);
    lg_dataset *shuttle = lg_dataset_read_csv(data_file("shuttle.csv.gz"), &(lg_csv_options){ .target = "Class" });
    assert_classes(shuttle, 7, "Bpv.Close", "Bpv.Open", "Bypass", "Fpv.Close", "Fpv.Open", "High", "Rad.Flow");
    assert_class_counts(shuttle, (size_t[]){ 10, 13, 3267, 50, 171, 8903, 45586 });
    lg_dataset_free(shuttle);
}
END_TEST

START_TEST(tables_with_a_line_before_them_are_read)
{
    lg_dataset *iris = lg_dataset_read_csv(
        data_file("iris.csv"), &(lg_csv_options){ .skip_lines = 1, .target = "-1", .target_kind = LG_CLASSES });
    assert_class_counts(iris, (size_t[]){ 50, 50, 50 });
    ck_assert_uint_eq(lg_dataset_features(iris), 4);
    lg_dataset_free(iris);
    lg_dataset *cancer = lg_dataset_read_csv(
        data_file("breast_cancer.csv"), &(lg_csv_options){ .skip_lines = 1, .target = "-1", .target_kind = LG_BINARY });
    assert_class_counts(cancer, (size_t[]){ 212, 357 });
    ck_assert_uint_eq(lg_dataset_features(cancer), 30);
    lg_dataset_free(cancer);
}
END_TEST

/* pandas: 344 rows, mean of bill_length_mm 43.9219298245614 and of body_mass_g 4201.754385964912, 11 sexes missing; 333
 * rows without a gap. */
START_TEST(the_penguins_are_read_with_their_gaps)
{
    lg_csv_options options = { .target = "species", .missing = LG_MISSING_MEAN };
    lg_dataset *dataset = lg_dataset_read_csv(data_file("penguins.csv"), &options);
    assert_features(dataset, 10, "island=Biscoe", "island=Dream", "island=Torgersen", "bill_length_mm", "bill_depth_mm",
                    "flipper_length_mm", "body_mass_g", "sex=female", "sex=male", "sex=NA");
    assert_classes(dataset, 3, "Adelie", "Chinstrap", "Gentoo");
    assert_class_counts(dataset, (size_t[]){ 152, 68, 124 });
    const lg_real *x = lg_dataset_values(dataset, "x");
    ck_assert_double_eq_tol(x[3 * 10 + 3], 43.9219298245614, 2e-6);
    ck_assert_double_eq_tol(x[3 * 10 + 6], 4201.754385964912, 2.5e-4); /* half a float's step there */
    double missing = 0;
    for (size_t i = 0; i < 344; i++)
        missing += (double)x[i * 10 + 9];
    ck_assert_double_eq(missing, 11);
    lg_dataset_free(dataset);
    options.missing = LG_MISSING_DROP_ROW;
    dataset = lg_dataset_read_csv(data_file("penguins.csv"), &options);
    ck_assert_uint_eq(lg_dataset_rows(dataset), 333);
    ck_assert_uint_eq(lg_dataset_features(dataset), 9);
    lg_dataset_free(dataset);
}
END_TEST

/* ---- memory -------------------------------------------------------------------------------------------------------- */

static lg_status read_twice(void *context)
{
    lg_csv_options *options = context;
    lg_dataset *first = lg_dataset_read_csv("t.csv", options);
    lg_dataset *second = first ? lg_dataset_read_csv("t.csv", &(lg_csv_options){ .like = first,
                                                                                  .missing = LG_MISSING_MEAN })
                               : NULL;
    lg_status status = second ? LG_OK : lg_error_code();
    lg_dataset_free(second);
    lg_dataset_free(first);
    return status;
}

START_TEST(any_allocation_may_fail_while_reading)
{
    lg_csv_options options[] = { { .target = "t", .missing = LG_MISSING_MEAN },
                                 { .target = "t", .positive = "w", .missing = LG_MISSING_MEDIAN, .text = LG_TEXT_CODES },
                                 { .target = "a", .missing = LG_MISSING_MEAN } };
    scratch_write_text("t.csv", "a,b,t\n1,,u\n2,x,w\n3,y,w\n4,z,v\n5,x,u\n6,p,u\n7,q,u\n8,r,u\n9,s,u\n10,t,u\n11,v,u\n");
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        ck_assert_uint_ge(for_each_allocation_failure(read_twice, &options[i]), 40);
}
END_TEST

Suite *csv_suite(void)
{
    Suite *suite = suite_create("csv");
    TCase *tcase = tcase_create("csv");
    tcase_add_checked_fixture(tcase, scratch_enter, scratch_leave);
    tcase_add_test(tcase, quoted_cells_hold_delimiters_line_ends_and_quotes);
    tcase_add_test(tcase, every_kind_of_line_end_is_read);
    tcase_add_test(tcase, any_delimiter_will_do);
    tcase_add_test(tcase, tables_larger_than_the_buffer_are_read_plain_and_packed);
    tcase_add_test(tcase, a_header_is_found_by_looking);
    tcase_add_test(tcase, the_target_is_found_by_name_or_index);
    tcase_add_test(tcase, classes_of_numbers_are_ordered_by_value_and_equal_numbers_are_one);
    tcase_add_test(tcase, classes_of_text_are_sorted);
    tcase_add_test(tcase, a_binary_target_is_one_where_the_class_is_positive);
    tcase_add_test(tcase, text_becomes_indicators);
    tcase_add_test(tcase, text_becomes_codes_on_request);
    tcase_add_test(tcase, columns_can_be_left_out_and_read_as_text);
    tcase_add_test(tcase, missing_numbers_are_kept_or_filled_on_request);
    tcase_add_test(tcase, rows_with_gaps_are_dropped_on_request_with_their_texts);
    tcase_add_test(tcase, infinity_and_nan_are_numbers_on_request);
    tcase_add_test(tcase, a_file_is_read_like_another);
    tcase_add_test(tcase, codes_and_binary_targets_are_read_like_another);
    tcase_add_test(tcase, a_file_is_read_like_a_description);
    tcase_add_test(tcase, without_a_header_a_file_is_read_like_another_by_position);
    tcase_add_test(tcase, a_description_that_names_a_column_twice_is_refused);
    tcase_add_test(tcase, the_digits_are_read);
    tcase_add_test(tcase, spam_and_shuttle_are_read);
    tcase_add_test(tcase, tables_with_a_line_before_them_are_read);
    tcase_add_test(tcase, the_penguins_are_read_with_their_gaps);
    tcase_add_test(tcase, any_allocation_may_fail_while_reading);
    suite_add_tcase(suite, tcase);
    tcase = tcase_create("locale");
    tcase_set_timeout(tcase, 60); /* making a locale takes seconds */
    tcase_add_checked_fixture(tcase, scratch_enter, scratch_leave);
    tcase_add_test(tcase, numbers_do_not_depend_on_the_locale);
    suite_add_tcase(suite, tcase);
    return suite;
}
