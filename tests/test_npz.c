/* NPZ files: what is read, and what is refused. */
#include "data/npz.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "fail_alloc.h"
#include "reference/arrays.h"
#include "scratch.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const struct reference_npz *reference(const char *name)
{
    const struct reference_npz *r = reference_npz;
    while (strcmp(r->name, name) != 0)
        r++;
    return r;
}

static void write_npz(const char *name)
{
    scratch_write("t.npz", reference(name)->content, reference(name)->bytes);
}

static lg_dataset *read_well(const lg_read_options *options)
{
    lg_dataset *dataset = lg_dataset_read("t.npz", options); /* by its content */
    ck_assert_msg(dataset != NULL, "%s", lg_error());
    return dataset;
}

static void assert_refused(const lg_read_options *options, const char *message)
{
    lg_error_clear();
    lg_dataset *dataset = lg_dataset_read("t.npz", options);
    ck_assert_msg(dataset == NULL, "read, but expected: %s", message);
    ck_assert_str_eq(lg_error(), message);
}

/* The array [2, 3, 4] of 0 .. 23. */
static void assert_cube(const lg_dataset *dataset)
{
    ck_assert_uint_eq(lg_dataset_rows(dataset), 2);
    ck_assert_uint_eq(lg_dataset_field(dataset, "x")->rank, 2);
    ck_assert_uint_eq(lg_dataset_field(dataset, "x")->dims[1], 4);
    for (size_t i = 0; i < 24; i++)
        ck_assert(lg_dataset_values(dataset, "x")[i] == (lg_real)i);
}

static const char *const with_targets[] = { "stored", "deflated", "ZIP64" };

START_TEST(rows_and_targets_are_found_by_name)
{
    write_npz(with_targets[_i]);
    lg_dataset *dataset = read_well(NULL);
    assert_cube(dataset);
    ck_assert_uint_eq(lg_dataset_classes(dataset), 2);
    ck_assert_str_eq(lg_dataset_class_name(dataset, 1), "5");
    ck_assert_int_eq(lg_dataset_indices(dataset, "y")[1], 1);
    lg_dataset_free(dataset);
    dataset = lg_dataset_read_npz("t.npz", &(lg_read_options){ .csv.target_kind = LG_VALUES });
    ck_assert(lg_dataset_values(dataset, "y")[1] == 5);
    lg_dataset_free(dataset);
}
END_TEST

START_TEST(one_array_needs_no_targets)
{
    write_npz("without names");
    lg_dataset *dataset = read_well(NULL);
    assert_cube(dataset);
    ck_assert_ptr_null(lg_dataset_field(dataset, "y"));
    lg_dataset_free(dataset);
}
END_TEST

START_TEST(the_target_can_be_named)
{
    write_npz("stored");
    lg_dataset *dataset = read_well(&(lg_read_options){ .csv.target = "y", .csv.positive = "0" });
    ck_assert(lg_dataset_values(dataset, "y")[0] == 1);
    ck_assert_str_eq(lg_dataset_class_name(dataset, 0), "5");
    lg_dataset_free(dataset);
    assert_refused(&(lg_read_options){ .csv.target = "z" },
                   "t.npz: x.npy: the array is 2 x 3 x 4, which has no columns for a target; give a labels file");
    assert_refused(&(lg_read_options){ .csv.target = "y", .labels = "labels" },
                   "t.npz: x.npy: a target column and a labels file exclude each other");
    scratch_write("labels", "\0\0\x08\1\0\0\0\2\7\3", 10);
    dataset = read_well(&(lg_read_options){ .labels = "labels" });
    ck_assert_str_eq(lg_dataset_class_name(dataset, 1), "7");
    lg_dataset_free(dataset);
    write_npz("deflated");
    assert_refused(&(lg_read_options){ .csv.target = "x_test" },
                   "t.npz: x_test.npy: 6 labels, but t.npz: x_train.npy has 2 rows");
}
END_TEST

START_TEST(an_archive_without_such_names_is_told)
{
    write_npz("strange");
    assert_refused(NULL, "t.npz: none of the arrays is called x, x_train, images, data or arr_0; there are a.npy, b.npy");
    scratch_write("t.npz", "PK\5\6\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 22);
    assert_refused(NULL, "t.npz: the archive is empty");
    scratch_write("t.npz", "PK\5\6\0\0\0\0\1\0\1\0\0\0\0\0\0\0\0\0\0\0", 22);
    assert_refused(NULL, "t.npz: the archive is damaged: member 0 of its directory is none");
    scratch_write_gzip("t.npz", reference("stored")->content, reference("stored")->bytes);
    assert_refused(NULL, "t.npz: the archive has no directory at its end; it was cut off");
}
END_TEST

/* Wherever it is cut, the directory at the end is not there; wherever a byte is changed, it is read as it was (in what
 * nobody reads: times, comments) or refused; never read as something else. */
START_TEST(a_damaged_archive_is_refused)
{
    const struct reference_npz *r = reference(with_targets[_i]);
    unsigned char *bytes = malloc(r->bytes);
    size_t refused = 0;
    for (size_t i = 0; i < r->bytes; i++) {
        scratch_write("t.npz", r->content, i);
        lg_error_clear();
        ck_assert_ptr_null(lg_dataset_read_npz("t.npz", NULL));
        ck_assert(lg_error()[0] != '\0');

        memcpy(bytes, r->content, r->bytes);
        bytes[i] ^= (unsigned char)(1U << i % 8);
        scratch_write("t.npz", bytes, r->bytes);
        lg_error_clear();
        lg_dataset *dataset = lg_dataset_read_npz("t.npz", NULL);
        if (dataset)
            assert_cube(dataset);
        else
            ck_assert(lg_error()[0] != '\0');
        refused += dataset == NULL;
        lg_dataset_free(dataset);
    }
    ck_assert_uint_gt(refused, r->bytes / 3); /* not all of it is read: times, other arrays */
    free(bytes);
}
END_TEST

/* Where the pixels of "stored" are, by the name of the first member's header. */
START_TEST(a_wrong_checksum_is_told)
{
    const struct reference_npz *r = reference("stored");
    unsigned char *bytes = malloc(r->bytes);
    memcpy(bytes, r->content, r->bytes);
    bytes[200] ^= 1; /* amid the elements of x */
    scratch_write("t.npz", bytes, r->bytes);
    assert_refused(NULL, "t.npz: x.npy: is damaged: its checksum is wrong");
    memcpy(bytes, r->content, r->bytes);
    free(bytes);
    ck_assert_ptr_null(lg_dataset_read_npz("none.npz", NULL));
    ck_assert_str_eq(lg_error(), "none.npz: cannot be opened: No such file or directory");
}
END_TEST

static lg_status read_again(void *context)
{
    lg_dataset *dataset = lg_dataset_read("t.npz", context);
    if (!dataset)
        return lg_error_code();
    lg_dataset_free(dataset);
    return LG_OK;
}

START_TEST(a_failed_allocation_is_an_error_and_leaves_nothing)
{
    write_npz("deflated");
    ck_assert_uint_ge(for_each_allocation_failure(read_again, NULL), 12);
}
END_TEST

Suite *npz_suite(void)
{
    Suite *suite = suite_create("npz");
    TCase *tcase = tcase_create("npz");
    tcase_add_checked_fixture(tcase, scratch_enter, scratch_leave);
    tcase_add_loop_test(tcase, rows_and_targets_are_found_by_name, 0, COUNT(with_targets));
    tcase_add_test(tcase, one_array_needs_no_targets);
    tcase_add_test(tcase, the_target_can_be_named);
    tcase_add_test(tcase, an_archive_without_such_names_is_told);
    tcase_add_loop_test(tcase, a_damaged_archive_is_refused, 0, COUNT(with_targets));
    tcase_add_test(tcase, a_wrong_checksum_is_told);
    tcase_add_test(tcase, a_failed_allocation_is_an_error_and_leaves_nothing);
    suite_add_tcase(suite, tcase);
    return suite;
}
