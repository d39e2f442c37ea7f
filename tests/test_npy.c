/* NPY files: what is read, what is refused, with its place, and what is written. */
#include "data/npy.h"

#include <check.h>
#include <float.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fail_alloc.h"
#include "reference/arrays.h"
#include "scratch.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void assert_tensor(const char *path, const reference_array *r)
{
    lg_tensor *tensor = lg_npy_read(path, LG_REAL);
    ck_assert_msg(tensor != NULL, "%s: %s", r->name, lg_error());
    ck_assert_uint_eq(lg_tensor_rank(tensor), r->rank);
    for (size_t k = 0; k < r->rank; k++)
        ck_assert_uint_eq(lg_tensor_dim(tensor, k), r->dims[k]);
    for (size_t i = 0; i < lg_tensor_size(tensor); i++) /* exact: so the values were chosen */
        ck_assert_msg((double)lg_tensor_data(tensor)[i] == r->values[i], "%s: value %zu is %g", r->name, i,
                      (double)lg_tensor_data(tensor)[i]);
    lg_tensor_free(tensor);
}

START_TEST(what_numpy_writes_is_read_plain_and_packed)
{
    const reference_array *r = &reference_npy[_i];
    scratch_write("t.npy", r->content, r->bytes);
    assert_tensor("t.npy", r);
    scratch_write_gzip("packed", r->content, r->bytes);
    assert_tensor("packed", r);
    if (r->rank == 1)
        return;
    lg_dataset *dataset = lg_dataset_read_npy("t.npy", &(lg_read_options){ .flatten = true });
    ck_assert_uint_eq(lg_dataset_rows(dataset), r->dims[0]);
    const size_t count = r->dims[0] * lg_dataset_features(dataset);
    for (size_t i = 0; i < count; i++)
        ck_assert((double)lg_dataset_values(dataset, "x")[i] == r->values[i]);
    lg_dataset_free(dataset);
}
END_TEST

/* ---- headers by hand ------------------------------------------------------------------------------------------------ */

/* A file of version 1.0 with this dictionary (padded, with a line end) and these elements. */
static void write_npy(const char *dictionary, const void *elements, size_t bytes)
{
    unsigned char content[1024] = "\x93NUMPY\1";
    const size_t length = strlen(dictionary) + 1;
    content[8] = (unsigned char)(length & 255);
    content[9] = (unsigned char)(length >> 8);
    memcpy(content + 10, dictionary, length - 1);
    content[9 + length] = '\n';
    if (bytes)
        memcpy(content + 10 + length, elements, bytes);
    scratch_write("t.npy", content, 10 + length + bytes);
}

static void assert_refused(lg_status code, const char *message)
{
    lg_error_clear();
    lg_tensor *tensor = lg_npy_read("t.npy", LG_REAL);
    ck_assert_msg(tensor == NULL, "read, but expected: %s", message);
    ck_assert_str_eq(lg_error(), message);
    ck_assert_int_eq(lg_error_code(), code);
}

START_TEST(other_ways_to_write_a_header_are_read)
{
    static const char *const same[] = {
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2L,), }   ",
        "{\"shape\":(2,),\"fortran_order\":False,\"descr\":\"<f4\",}",
        "  { 'fortran_order' : True , 'shape' : ( 2 , ) , 'descr' : '<f4' }",
    };
    for (size_t i = 0; i < COUNT(same); i++) {
        write_npy(same[i], "\0\0\x80\x3F\0\0\0\x40", 8);
        lg_tensor *tensor = lg_npy_read("t.npy", LG_REAL);
        ck_assert_msg(tensor != NULL, "%s: %s", same[i], lg_error());
        ck_assert_uint_eq(lg_tensor_rank(tensor), 1);
        ck_assert(lg_tensor_data(tensor)[0] == 1 && lg_tensor_data(tensor)[1] == 2);
        lg_tensor_free(tensor);
    }
}
END_TEST

START_TEST(a_scalar_and_an_empty_array_are_tensors_but_no_rows)
{
    write_npy("{'descr': '<i2', 'fortran_order': False, 'shape': (), }", "\7\0", 2);
    lg_tensor *tensor = lg_npy_read("t.npy", LG_REAL);
    ck_assert_ptr_nonnull(tensor);
    ck_assert(lg_tensor_item(tensor) == 7);
    lg_tensor_free(tensor);
    ck_assert_ptr_null(lg_dataset_read_npy("t.npy", NULL));
    ck_assert_str_eq(lg_error(), "t.npy: the array is a single number; rows are needed");

    write_npy("{'descr': '<f8', 'fortran_order': True, 'shape': (0, 3), }", "", 0);
    tensor = lg_npy_read("t.npy", LG_REAL);
    ck_assert_msg(tensor != NULL, "%s", lg_error());
    ck_assert_uint_eq(lg_tensor_size(tensor), 0);
    ck_assert_uint_eq(lg_tensor_dim(tensor, 1), 3);
    lg_tensor_free(tensor);
    ck_assert_ptr_null(lg_dataset_read_npy("t.npy", NULL));
    ck_assert_str_eq(lg_error(), "t.npy: the array is 0 x 3: there are no rows");
}
END_TEST

static const struct {
    const char *dictionary, *message;
} bad_headers[] = {
    { "{'descr': '<f4', 'fortran_order': False, }", "t.npy: the header has no 'shape'" },
    { "{'descr': '<f4', 'shape': (2,), }", "t.npy: the header has no 'fortran_order'" },
    { "{'shape': (2,), 'fortran_order': False}", "t.npy: the header has no 'descr'" },
    { "{'descr': '<f4', 'descr': '<f8', }", "t.npy: the header has a second key 'descr'" },
    { "{'order': 'C', }", "t.npy: the header has an unknown key 'order'" },
    { "hello", "t.npy: byte 10: a dictionary, {...}, expected in the header, but there is \"hello\n\"" },
    { "{'descr' '<f4'}", "t.npy: byte 19: \":\" expected in the header, but there is \"'<f4'}\n\"" },
    { "{'descr': <f4}", "t.npy: byte 20: a short string in quotes expected in the header, but there is \"<f4}\n\"" },
    { "{'descr': '<f4}", "t.npy: byte 20: a short string in quotes expected in the header, but there is \"'<f4}\n\"" },
    { "{'descr': '<f4' 'shape'}", "t.npy: byte 26: \",\" or \"}\" expected in the header, but there is \"'shape'}\n\"" },
    { "{'fortran_order': 0}", "t.npy: byte 28: True or False expected in the header, but there is \"0}\n\"" },
    { "{'shape': 3}", "t.npy: byte 20: a shape in parentheses expected in the header, but there is \"3}\n\"" },
    { "{'shape': (-1,)}", "t.npy: byte 21: a length expected in the header, but there is \"-1,)}\n\"" },
    { "{'shape': (3 4)}", "t.npy: byte 23: \",\" or \")\" expected in the header, but there is \"4)}\n\"" },
    { "{'shape': (18446744073709551616,)}",
      "t.npy: byte 40: a length below 2^64 expected in the header, but there is \"6,)}\n\"" },
    { "{'shape': (1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1)}",
      "t.npy: byte 85: an array of at most 32 axes expected in the header, but there is \"1)}\n\"" },
    { "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), } x",
      "t.npy: byte 68: nothing after the dictionary expected in the header, but there is \"x\n\"" },
    { "{'descr': '|O', 'fortran_order': False, 'shape': (2,), }",
      "t.npy: elements are of type '|O'; read are f2 f4 f8 i1 i2 i4 i8 u1 u2 u4 u8 b1, not Python objects" },
    { "{'descr': '<c16', 'fortran_order': False, 'shape': (2,), }",
      "t.npy: elements are of type '<c16'; read are f2 f4 f8 i1 i2 i4 i8 u1 u2 u4 u8 b1" },
    { "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,), }",
      "t.npy: byte 20: an array of records; save its columns as one array of numbers" },
};

START_TEST(a_malformed_header_is_told_in_one_sentence)
{
    write_npy(bad_headers[_i].dictionary, "\0\0\x80\x3F\0\0\0\x40", 8);
    assert_refused(LG_E_FORMAT, bad_headers[_i].message);
}
END_TEST

static const struct {
    const char *content;
    size_t bytes;
    const char *message;
} bad_files[] = {
    { "", 0, "t.npy: is empty" },
    { "\x93NUM", 4, "t.npy: byte 4: the file ends within its header" },
    { "\x93NUMPY\1\0\x76", 9, "t.npy: byte 9: the file ends within its header" },
    { "\x93NUMPY\1\0\x76\0{'descr'", 18, "t.npy: byte 18: the file ends within its header" },
    { "\x93NUMPX\1\0\x76\0", 10, "t.npy: byte 0: an NPY file begins with \"\\x93NUMPY\"" },
    { "a,b\n1,2\n", 8, "t.npy: byte 0: an NPY file begins with \"\\x93NUMPY\"" },
    { "\x93NUMPY\4\0\x76\0", 10, "t.npy: byte 6: NPY version 4.0; known are 1.0, 2.0 and 3.0" },
    { "\x93NUMPY\2\0\xFF\xFF\xFF\xFF", 12,
      "t.npy: byte 8: a header of 4294967295 bytes; that of an array of numbers has at most 65536" },
    { "\x93NUMPY\1\0\4\0{\0}\n", 14, "t.npy: byte 11: there is a zero byte in the header" },
};

START_TEST(a_malformed_beginning_is_told_in_one_sentence)
{
    scratch_write("t.npy", bad_files[_i].content, bad_files[_i].bytes);
    assert_refused(LG_E_FORMAT, bad_files[_i].message);
}
END_TEST

START_TEST(elements_that_do_not_fit_the_shape_are_told)
{
    const char *two = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }";
    write_npy(two, "\0\0\x80\x3F\0\0\0", 7);
    assert_refused(LG_E_FORMAT, "t.npy: 2 f4 after a header of 68 bytes make 76 bytes, but the file has 75");
    write_npy(two, "\0\0\x80\x3F\0\0\0\x40" "x", 9);
    assert_refused(LG_E_FORMAT, "t.npy: 2 f4 after a header of 68 bytes make 76 bytes, but the file has 77");
    write_npy("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000, 1250), }", "1234", 4);
    assert_refused(LG_E_FORMAT, "t.npy: 1000000 x 1250 f8 after a header of 79 bytes make 10000000079 bytes, but the file "
                                "has 83");
    write_npy("{'descr': '<u1', 'fortran_order': True, 'shape': (4294967296, 4294967296), }", "1234", 4);
    assert_refused(LG_E_FORMAT, "t.npy: the header promises 4294967296 x 4294967296 u1, more than there can be");
    write_npy("{'descr': '<u1', 'fortran_order': True, 'shape': (4294967296, 0, 4294967296), }", "", 0);
    assert_refused(LG_E_FORMAT, "t.npy: the header promises 4294967296 x 0 x 4294967296 u1, more than there can be");
    write_npy("{'descr': '<u1', 'fortran_order': True, 'shape': (1,1,1,1,2), }", "12", 2);
    assert_refused(LG_E_SHAPE, "t.npy: the array is 1 x 1 x 1 x 1 x 2; a tensor has at most 4 axes");
}
END_TEST

START_TEST(an_element_that_does_not_fit_is_named)
{
    const char *column_order = "{'descr': '<f8', 'fortran_order': True, 'shape': (2, 2), }";
    const double wide[4] = { 1, 2.5, 1e300, 4 };
    write_npy(column_order, wide, sizeof wide);
    if (LG_REAL_BITS == 32)
        assert_refused(LG_E_FORMAT, "t.npy: byte 85: element [0, 1] is 1e+300, which is too large");
    ck_assert_ptr_null(lg_npy_read("t.npy", LG_INT32));
    ck_assert_str_eq(lg_error(), "t.npy: byte 77: element [1, 0] is 2.5, which is not a whole number");
    const double border[4] = { 3.4028235e38, -3.4028235677973362e38, 0, 0 }; /* these still round to the largest float */
    write_npy(column_order, border, sizeof border);
    lg_tensor *largest = lg_npy_read("t.npy", LG_REAL);
    ck_assert_msg(largest != NULL, "%s", lg_error());
    ck_assert(LG_REAL_BITS == 64 || lg_tensor_data(largest)[0] == (lg_real)FLT_MAX);
    ck_assert(LG_REAL_BITS == 64 || lg_tensor_data(largest)[2] == (lg_real)-FLT_MAX);
    lg_tensor_free(largest);
    const double beyond[4] = { 0x1.ffffffp127, 0, 0, 0 };
    write_npy(column_order, beyond, sizeof beyond);
    if (LG_REAL_BITS == 32)
        assert_refused(LG_E_FORMAT, "t.npy: byte 69: element [0, 0] is 3.40282357e+38, which is too large");
    const double large[4] = { 1, 2, 2147483648.0, 4 };
    write_npy(column_order, large, sizeof large);
    ck_assert_ptr_null(lg_npy_read("t.npy", LG_INT32));
    ck_assert_str_eq(lg_error(), "t.npy: byte 85: element [0, 1] is 2.14748365e+09, which does not fit into 32 bits");
    const double whole[4] = { 1, 2, -2147483648.0, 4 };
    write_npy(column_order, whole, sizeof whole);
    lg_tensor *tensor = lg_npy_read("t.npy", LG_INT32);
    ck_assert_ptr_nonnull(tensor);
    ck_assert_int_eq(lg_tensor_indices(tensor)[1], INT32_MIN); /* [0, 1], back in C order */
    ck_assert_int_eq(lg_tensor_indices(tensor)[2], 2);
    lg_tensor_free(tensor);
}
END_TEST

/* ---- writing -------------------------------------------------------------------------------------------------------- */

/* The values of a reference, written by luge, are the very bytes of NumPy's file of the same type. */
START_TEST(what_is_written_is_byte_for_byte_numpys)
{
    const reference_array *r = NULL;
    for (size_t i = 0; i < COUNT(reference_npy); i++)
        if (strcmp(reference_npy[i].name, _i ? "i4 <" : LG_REAL_BITS == 64 ? "f8 <" : "f4 <") == 0)
            r = &reference_npy[i];
    ck_assert_ptr_nonnull(r);
    lg_real real[6];
    int32_t whole[6];
    for (size_t i = 0; i < 6; i++) {
        real[i] = (lg_real)r->values[i];
        whole[i] = _i ? (int32_t)r->values[i] : 0;
    }
    lg_tensor *tensor = _i ? lg_tensor_from_indices(2, r->dims, whole) : lg_tensor_from(2, r->dims, real);
    ck_assert_int_eq(lg_npy_write("out.npy", tensor), LG_OK);
    lg_tensor_free(tensor);
    unsigned char content[512];
    FILE *file = fopen("out.npy", "rb");
    ck_assert_uint_eq(fread(content, 1, sizeof content, file), r->bytes);
    fclose(file);
    ck_assert_mem_eq(content, r->content, r->bytes);
}
END_TEST

START_TEST(what_is_written_is_read_again)
{
    static const size_t dims[] = { 2, 1, 3, 2 };
    lg_real values[12];
    for (size_t i = 0; i < 12; i++)
        values[i] = (lg_real)1 / (lg_real)(i + 1);
    for (size_t rank = 0; rank <= 4; rank++) {
        ck_assert_int_eq(lg_npy_write_array("out.npy", LG_REAL, rank, dims, values), LG_OK);
        lg_tensor *tensor = lg_npy_read("out.npy", LG_REAL);
        ck_assert_msg(tensor != NULL, "%s", lg_error());
        ck_assert_uint_eq(lg_tensor_rank(tensor), rank);
        for (size_t k = 0; k < rank; k++)
            ck_assert_uint_eq(lg_tensor_dim(tensor, k), dims[k]);
        ck_assert_mem_eq(lg_tensor_data(tensor), values, lg_tensor_size(tensor) * sizeof *values);
        lg_tensor_free(tensor);
    }
}
END_TEST

START_TEST(a_file_that_cannot_be_written_leaves_the_old_one)
{
    const lg_real one = 1;
    ck_assert_int_eq(lg_npy_write_array("none/out.npy", LG_REAL, 0, NULL, &one), LG_E_IO);
    ck_assert_str_eq(lg_error(), "none/out.npy: cannot be written: No such file or directory");
    scratch_write_text("out.npy", "as before");
    ck_assert_int_eq(symlink("/dev/full", "out.npy.partial"), 0);
    ck_assert_int_eq(lg_npy_write_array("out.npy", LG_REAL, 0, NULL, &one), LG_E_IO);
    ck_assert_str_eq(lg_error(), "out.npy: cannot be written: No space left on device");
    ck_assert_int_ne(access("out.npy.partial", F_OK), 0);
    char content[16] = "";
    FILE *file = fopen("out.npy", "rb");
    ck_assert_uint_eq(fread(content, 1, sizeof content, file), 9);
    fclose(file);
    ck_assert_mem_eq(content, "as before", 9);
    lg_error_clear();
    ck_assert_int_eq(lg_npy_write_array(NULL, LG_REAL, 0, NULL, &one), LG_E_PARAM);
    ck_assert_int_eq(lg_npy_write_array("out.npy", LG_REAL, 5, (size_t[]){ 1, 1, 1, 1, 1 }, &one), LG_E_SHAPE);
    ck_assert_int_eq(lg_npy_write_array("out.npy", LG_REAL, 2, (size_t[]){ SIZE_MAX, 2 }, &one), LG_E_SHAPE);
}
END_TEST

/* ---- memory --------------------------------------------------------------------------------------------------------- */

static lg_status read_and_write(void *context)
{
    (void)context;
    lg_tensor *tensor = lg_npy_read("t.npy", LG_INT32);
    if (!tensor)
        return lg_error_code();
    lg_status status = lg_npy_write("out.npy", tensor);
    lg_tensor_free(tensor);
    return status;
}

START_TEST(a_failed_allocation_is_an_error_and_leaves_nothing)
{
    const double whole[4] = { 1, 2, 3, 4 };
    write_npy("{'descr': '<f8', 'fortran_order': True, 'shape': (2, 2), }", whole, sizeof whole);
    ck_assert_uint_ge(for_each_allocation_failure(read_and_write, NULL), 4);
}
END_TEST

Suite *npy_suite(void)
{
    Suite *suite = suite_create("npy");
    TCase *tcase = tcase_create("npy");
    tcase_add_checked_fixture(tcase, scratch_enter, scratch_leave);
    tcase_add_loop_test(tcase, what_numpy_writes_is_read_plain_and_packed, 0, COUNT(reference_npy));
    tcase_add_test(tcase, other_ways_to_write_a_header_are_read);
    tcase_add_test(tcase, a_scalar_and_an_empty_array_are_tensors_but_no_rows);
    tcase_add_loop_test(tcase, a_malformed_header_is_told_in_one_sentence, 0, COUNT(bad_headers));
    tcase_add_loop_test(tcase, a_malformed_beginning_is_told_in_one_sentence, 0, COUNT(bad_files));
    tcase_add_test(tcase, elements_that_do_not_fit_the_shape_are_told);
    tcase_add_test(tcase, an_element_that_does_not_fit_is_named);
    tcase_add_loop_test(tcase, what_is_written_is_byte_for_byte_numpys, 0, 2);
    tcase_add_test(tcase, what_is_written_is_read_again);
    tcase_add_test(tcase, a_file_that_cannot_be_written_leaves_the_old_one);
    tcase_add_test(tcase, a_failed_allocation_is_an_error_and_leaves_nothing);
    suite_add_tcase(suite, tcase);
    return suite;
}
