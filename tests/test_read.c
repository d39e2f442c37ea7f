/* Reading by content, and the targets of arrays. */
#include "data/read.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "fail_alloc.h"
#include "reference/arrays.h"
#include "scratch.h"

/* Four pictures of 1 x 2 pixels, and labels for them. */
static void write_pictures(void)
{
    scratch_write("pictures", "\0\0\x08\3\0\0\0\4\0\0\0\1\0\0\0\2" "\0\x33\1\2\3\4\5\xFF", 24);
}

static void write_labels(const char *labels)
{
    unsigned char content[12] = { 0, 0, 8, 1, 0, 0, 0, 4 };
    memcpy(content + 8, labels, 4);
    scratch_write("labels", content, sizeof content);
}

static void assert_refused(const char *path, const lg_read_options *options, lg_status code, const char *message)
{
    lg_error_clear();
    lg_dataset *dataset = lg_dataset_read(path, options);
    ck_assert_msg(dataset == NULL, "read, but expected: %s", message);
    ck_assert_str_eq(lg_error(), message);
    ck_assert_int_eq(lg_error_code(), code);
}

static lg_dataset *read_well(const char *path, const lg_read_options *options)
{
    lg_dataset *dataset = lg_dataset_read(path, options);
    ck_assert_msg(dataset != NULL, "%s", lg_error());
    return dataset;
}

static const reference_array *npy(const char *name)
{
    const reference_array *r = reference_npy;
    while (strcmp(r->name, name) != 0)
        r++;
    return r;
}

START_TEST(the_content_says_what_a_file_is)
{
    write_pictures();
    scratch_write_text("b.idx", "a,b\n1,2\n3,4\n");
    const reference_array *cube = npy("C order");
    scratch_write_gzip("c.csv", cube->content, cube->bytes);
    lg_dataset *pictures = read_well("pictures", &(lg_read_options){ .unit_bytes = true });
    lg_dataset *table = read_well("b.idx", &(lg_read_options){ .csv.target = "b" });
    lg_dataset *array = read_well("c.csv", NULL);
    ck_assert_uint_eq(lg_dataset_field(pictures, "x")->rank, 2);
    ck_assert(lg_dataset_values(pictures, "x")[1] == (lg_real)0.2);
    ck_assert_str_eq(lg_dataset_target_name(table), "b");
    ck_assert(lg_dataset_values(table, "y")[1] == 4);
    ck_assert_uint_eq(lg_dataset_features(array), 12);
    lg_dataset_free(pictures);
    lg_dataset_free(table);
    lg_dataset_free(array);
    scratch_write_text("empty", "");
    assert_refused("empty", NULL, LG_E_FORMAT, "empty: is empty");
    assert_refused("none", NULL, LG_E_IO, "none: cannot be opened: No such file or directory");
}
END_TEST

START_TEST(integer_labels_are_classes_in_ascending_order)
{
    write_pictures();
    write_labels("\7\2\7\4");
    lg_dataset *dataset = read_well("pictures", &(lg_read_options){ .labels = "labels" });
    ck_assert_uint_eq(lg_dataset_classes(dataset), 3);
    ck_assert_str_eq(lg_dataset_class_name(dataset, 0), "2");
    ck_assert_str_eq(lg_dataset_class_name(dataset, 2), "7");
    static const int32_t expected[] = { 2, 0, 2, 1 };
    ck_assert_mem_eq(lg_dataset_indices(dataset, "y"), expected, sizeof expected);

    write_labels("\4\4\4\7"); /* as that data set has them, though 2 is not there */
    lg_dataset *more = read_well("pictures", &(lg_read_options){ .labels = "labels", .csv.like = dataset });
    static const int32_t expected_more[] = { 1, 1, 1, 2 };
    ck_assert_mem_eq(lg_dataset_indices(more, "y"), expected_more, sizeof expected_more);
    ck_assert_uint_eq(lg_dataset_classes(more), 3);
    lg_dataset_free(more);
    write_labels("\4\4\4\5");
    assert_refused("pictures", &(lg_read_options){ .labels = "labels", .csv.like = dataset }, LG_E_FORMAT,
                   "labels: class 5 is not known; the data set to read the file like does not have it");
    assert_refused("pictures", &(lg_read_options){ .flatten = true, .csv.like = dataset }, LG_E_FORMAT,
                   "pictures: rows are 2, but in the data set to read the file like they are 1 x 2");
    lg_dataset_free(dataset);
}
END_TEST

START_TEST(labels_are_binary_or_values_if_asked)
{
    write_pictures();
    write_labels("\7\2\7\4");
    lg_dataset *dataset = read_well("pictures", &(lg_read_options){ .labels = "labels", .csv.positive = "7" });
    static const lg_real binary[] = { 1, 0, 1, 0 }, values[] = { 7, 2, 7, 4 };
    ck_assert_mem_eq(lg_dataset_values(dataset, "y"), binary, sizeof binary);
    ck_assert_str_eq(lg_dataset_class_name(dataset, 0), "not 7");
    ck_assert_str_eq(lg_dataset_class_name(dataset, 1), "7");
    lg_dataset_free(dataset);
    dataset = read_well("pictures", &(lg_read_options){ .labels = "labels", .csv.target_kind = LG_VALUES });
    ck_assert_mem_eq(lg_dataset_values(dataset, "y"), values, sizeof values);
    ck_assert_uint_eq(lg_dataset_classes(dataset), 0);
    lg_dataset_free(dataset);
    const lg_read_options two = { .labels = "labels", .csv.target_kind = LG_BINARY };
    assert_refused("pictures", &two, LG_E_FORMAT, "labels: the target has 3 classes; say which one is positive");
    assert_refused("pictures", &(lg_read_options){ .labels = "labels", .csv.positive = "5" }, LG_E_PARAM,
                   "labels: the target has no class \"5\"");
    assert_refused("pictures", &(lg_read_options){ .labels = "labels", .csv.positive = "7a" }, LG_E_PARAM,
                   "labels: the target has no class \"7a\"");
    write_labels("\7\2\7\2");
    dataset = read_well("pictures", &two);
    ck_assert_mem_eq(lg_dataset_values(dataset, "y"), binary, sizeof binary);
    ck_assert_str_eq(lg_dataset_class_name(dataset, 0), "2");
    lg_dataset_free(dataset);
}
END_TEST

START_TEST(labels_that_do_not_fit_are_told)
{
    const lg_read_options with_labels = { .labels = "labels" };
    write_pictures();
    scratch_write("labels", "\0\0\x08\1\0\0\0\3\1\2\3", 11);
    assert_refused("pictures", &with_labels, LG_E_FORMAT, "labels: 3 labels, but pictures has 4 rows");
    scratch_write("labels", "\0\0\x08\2\0\0\0\4\0\0\0\1\1\2\3\4", 16);
    assert_refused("pictures", &with_labels, LG_E_FORMAT,
                   "labels: labels are an array of one axis, a number for each row; this is 4 x 1");
    scratch_write_text("labels", "1\n2\n3\n4\n");
    assert_refused("pictures", &with_labels, LG_E_FORMAT, "labels: is neither an IDX nor an NPY file");
    write_labels("\3\3\3\3");
    assert_refused("pictures", &with_labels, LG_E_FORMAT, "labels: the target is 3 in every row; there is nothing to learn");
    assert_refused("pictures", &(lg_read_options){ .labels = "none" }, LG_E_IO,
                   "none: cannot be opened: No such file or directory");
    /* 2.5 as IDX float, four times, and 1 */
    scratch_write("labels", "\0\0\x0D\1\0\0\0\4\x40\x20\0\0\x40\x20\0\0\x40\x20\0\0\x3F\x80\0\0", 24);
    assert_refused("pictures", &(lg_read_options){ .labels = "labels", .csv.target_kind = LG_CLASSES }, LG_E_FORMAT,
                   "labels: 2.5 is no class; classes are whole numbers up to 9007199254740992");
    lg_dataset *dataset = read_well("pictures", &with_labels); /* numbers with a fraction are values */
    ck_assert(lg_dataset_values(dataset, "y")[0] == (lg_real)2.5);
    lg_dataset_free(dataset);
    scratch_write_text("table.csv", "a,b\n1,2\n3,4\n");
    assert_refused("table.csv", &with_labels, LG_E_PARAM,
                   "table.csv: is not IDX or NPY; in a table of text the target is a column, not a labels file");
}
END_TEST

START_TEST(a_column_of_a_table_can_be_the_target)
{
    const reference_array *r = npy("u1 <"); /* 0 51 102; 153 204 255 */
    scratch_write("t.npy", r->content, r->bytes);
    static const lg_real left[] = { 0, 102, 153, 255 }, first[] = { 0, 51, 153, 204 };
    lg_dataset *dataset = read_well("t.npy", &(lg_read_options){ .csv.target = "1" });
    ck_assert_uint_eq(lg_dataset_features(dataset), 2);
    ck_assert_mem_eq(lg_dataset_values(dataset, "x"), left, sizeof left);
    ck_assert(lg_dataset_values(dataset, "y")[0] == 51 && lg_dataset_values(dataset, "y")[1] == 204);
    ck_assert_str_eq(lg_dataset_target_name(dataset), "1");
    lg_dataset_free(dataset);
    dataset = read_well("t.npy", &(lg_read_options){ .csv.target = "-1", .csv.target_kind = LG_CLASSES });
    ck_assert_mem_eq(lg_dataset_values(dataset, "x"), first, sizeof first);
    ck_assert_str_eq(lg_dataset_class_name(dataset, 1), "255");
    ck_assert_int_eq(lg_dataset_indices(dataset, "y")[1], 1);
    lg_dataset_free(dataset);
    assert_refused("t.npy", &(lg_read_options){ .csv.target = "Class" }, LG_E_PARAM,
                   "t.npy: there is no column \"Class\" for the target; there are 3, 0 .. 2, without names");
    assert_refused("t.npy", &(lg_read_options){ .csv.target = "-4" }, LG_E_PARAM,
                   "t.npy: there is no column \"-4\" for the target; there are 3, 0 .. 2, without names");
    assert_refused("t.npy", &(lg_read_options){ .csv.target = "1", .labels = "labels" }, LG_E_PARAM,
                   "t.npy: a target column and a labels file exclude each other");
    assert_refused("t.npy", &(lg_read_options){ .csv.drop = (const char *[]){ "1", NULL } }, LG_E_PARAM,
                   "t.npy: this is an array of numbers, whose columns have no names to leave out");
    write_pictures();
    assert_refused("pictures", &(lg_read_options){ .csv.target = "1" }, LG_E_PARAM,
                   "pictures: the array is 4 x 1 x 2, which has no columns for a target; give a labels file");
}
END_TEST

static lg_status read_pictures(void *context)
{
    lg_dataset *dataset = lg_dataset_read("pictures", context);
    if (!dataset)
        return lg_error_code();
    lg_dataset_free(dataset);
    return LG_OK;
}

START_TEST(a_failed_allocation_is_an_error_and_leaves_nothing)
{
    write_pictures();
    write_labels("\7\2\7\4");
    ck_assert_uint_ge(for_each_allocation_failure(read_pictures, &(lg_read_options){ .labels = "labels" }), 8);
    ck_assert_uint_ge(for_each_allocation_failure(read_pictures, &(lg_read_options){ .labels = "labels",
                                                                                     .csv.positive = "7" }), 8);
    const reference_array *r = npy("u2 >");
    scratch_write("pictures", r->content, r->bytes);
    ck_assert_uint_ge(for_each_allocation_failure(read_pictures, &(lg_read_options){ .csv.target = "0" }), 8);
}
END_TEST

/* Every file that is cut somewhere, or has a bit changed, is read or refused with a message; the sanitizers watch. */
START_TEST(damaged_files_are_read_or_refused)
{
    unsigned char content[1024];
    const reference_array *files[] = { npy("C order"), npy("f8 >"), &reference_idx[6], &reference_idx[4] };
    for (size_t f = 0; f < 4; f++) {
        size_t refused = 0;
        for (size_t i = 0; i < 2 * files[f]->bytes; i++) {
            const bool cut = i < files[f]->bytes;
            memcpy(content, files[f]->content, files[f]->bytes);
            if (!cut)
                content[i - files[f]->bytes] ^= (unsigned char)(1U << i % 8);
            scratch_write("t", content, cut ? i : files[f]->bytes);
            lg_error_clear();
            lg_dataset *dataset = lg_dataset_read("t", NULL);
            ck_assert(dataset || lg_error()[0]);
            ck_assert(!cut || !dataset);
            refused += dataset == NULL;
            lg_dataset_free(dataset);
        }
        ck_assert_uint_gt(refused, files[f]->bytes);
    }
}
END_TEST

Suite *read_suite(void)
{
    Suite *suite = suite_create("read");
    TCase *tcase = tcase_create("read");
    tcase_add_checked_fixture(tcase, scratch_enter, scratch_leave);
    tcase_add_test(tcase, the_content_says_what_a_file_is);
    tcase_add_test(tcase, integer_labels_are_classes_in_ascending_order);
    tcase_add_test(tcase, labels_are_binary_or_values_if_asked);
    tcase_add_test(tcase, labels_that_do_not_fit_are_told);
    tcase_add_test(tcase, a_column_of_a_table_can_be_the_target);
    tcase_add_test(tcase, a_failed_allocation_is_an_error_and_leaves_nothing);
    tcase_add_test(tcase, damaged_files_are_read_or_refused);
    suite_add_tcase(suite, tcase);
    return suite;
}
