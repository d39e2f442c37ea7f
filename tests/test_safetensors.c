/* Model files: against files that the Python library wrote (tests/reference/model_files.py), rule by rule, and damaged
 * in every place. */
#include "models/safetensors.h"

#include <check.h>
#include <fcntl.h>
#include <jansson.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fail_alloc.h"
#include "scratch.h"
#include "support.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

enum { LONGEST = 4096 };

static void expect_error(lg_status code, const char *part)
{
    ck_assert_msg(strstr(lg_error(), part) != NULL, "\"%s\" does not say \"%s\"", lg_error(), part);
    ck_assert_int_eq(lg_error_code(), code);
    lg_error_clear();
}

static const char *reference(const char *name)
{
    static char path[4096];
    snprintf(path, sizeof path, "%s/tests/reference/safetensors/%s", test_source_dir(), name);
    return path;
}

static size_t contents(const char *path, unsigned char *bytes)
{
    FILE *file = fopen(path, "rb");
    ck_assert_msg(file != NULL, "%s", path);
    const size_t count = fread(bytes, 1, LONGEST, file);
    fclose(file);
    ck_assert_uint_lt(count, LONGEST);
    return count;
}

static lg_safetensors *opened(const char *path)
{
    lg_safetensors *file = lg_safetensors_open(path);
    ck_assert_msg(file != NULL, "%s", lg_error());
    return file;
}

/* One tensor named so, whose values are start, start + step, ... */
static void add_ramp(lg_params *params, const char *name, size_t rank, const size_t *dims, double start, double step)
{
    lg_tensor *tensor = lg_params_add(params, name, rank, dims);
    ck_assert_ptr_nonnull(tensor);
    for (size_t i = 0; i < lg_tensor_size(tensor); i++)
        lg_tensor_data(tensor)[i] = (lg_real)(start + step * (double)i);
}

static lg_params *small_set(void)
{
    lg_params *params = lg_params_new();
    add_ramp(params, "bias", LG_SHAPE(3), -1, 0.25);
    add_ramp(params, "weight", LG_SHAPE(2, 3), 0, 0.125);
    return params;
}

static void expect_ramp(lg_params *params, const char *name, double start, double step)
{
    lg_tensor *tensor = lg_params_find(params, name);
    ck_assert_ptr_nonnull(tensor);
    for (size_t i = 0; i < lg_tensor_size(tensor); i++)
        ck_assert_double_eq((double)lg_tensor_data(tensor)[i], start + step * (double)i);
}

/* ------------------------------------------------------------ files of others */

START_TEST(a_file_of_numpys_is_read)
{
    lg_safetensors *file = opened(reference("numpy_f32.safetensors"));
    ck_assert_uint_eq(lg_safetensors_count(file), 2);
    const lg_file_tensor *bias = lg_safetensors_at(file, 0), *weight = lg_safetensors_find(file, "weight");
    ck_assert_str_eq(bias->name, "bias");
    ck_assert_ptr_eq(weight, lg_safetensors_at(file, 1));
    ck_assert_ptr_null(lg_safetensors_at(file, 2));
    ck_assert_str_eq(lg_file_dtype_name(weight->dtype), "F32");
    ck_assert_uint_eq(weight->rank, 2);
    ck_assert_uint_eq(weight->dims[0], 2);
    ck_assert_uint_eq(weight->dims[1], 3);
    ck_assert_uint_eq(weight->size, 6);
    lg_real values[6];
    ck_assert_int_eq(lg_safetensors_read(file, weight, values), LG_OK);
    for (size_t i = 0; i < 6; i++)
        ck_assert_double_eq((double)values[i], (double)i / 8);
    ck_assert_uint_eq(lg_safetensors_metadata_count(file), 1);
    ck_assert_str_eq(lg_safetensors_metadata_at(file, 0).key, "classes");
    ck_assert_ptr_null(lg_safetensors_metadata_at(file, 1).key);
    ck_assert_str_eq(lg_safetensors_metadata(file, "classes"), "Katze, \"Hund\"\n\xC3\x84" "ffchen");
    ck_assert_ptr_null(lg_safetensors_metadata(file, "version"));
    ck_assert(!lg_safetensors_has(file, "wait"));
    ck_assert_ptr_null(lg_safetensors_find(file, "weigt"));
    expect_error(LG_E_PARAM, "has no tensor \"weigt\", did you mean \"weight\"?");
    lg_safetensors_close(file);
}
END_TEST

START_TEST(every_kind_of_number_is_listed_and_floats_are_rounded)
{
    lg_safetensors *file = opened(reference("numpy_types.safetensors"));
    ck_assert_uint_eq(lg_safetensors_count(file), 5);
    lg_tensor *f64 = lg_safetensors_tensor(file, "f64"), *i32 = lg_safetensors_tensor(file, "i32");
    const double wide[] = { 1.0 / 3, -1e300, 5e-324, INFINITY };
    for (size_t i = 0; i < COUNT(wide); i++)
        ck_assert(lg_tensor_data(f64)[i] == (lg_real)wide[i]);
    ck_assert(isnan(lg_tensor_data(f64)[4]));
    double exact[5];
    ck_assert_int_eq(lg_safetensors_read_doubles(file, lg_safetensors_find(file, "f64"), exact), LG_OK);
    ck_assert_mem_eq(exact, wide, sizeof wide);
    ck_assert(isnan(exact[4]));
    ck_assert_int_eq(lg_safetensors_read_doubles(file, lg_safetensors_find(file, "i32"), exact), LG_E_DTYPE);
    expect_error(LG_E_DTYPE, "tensor \"i32\" is I32, but must be F64");
    ck_assert_int_eq(lg_tensor_dtype(i32), LG_INT32);
    ck_assert_uint_eq(lg_tensor_dim(i32, 0), 2);
    ck_assert_int_eq(lg_tensor_indices(i32)[0], INT32_MIN);
    ck_assert_int_eq(lg_tensor_indices(i32)[1], INT32_MAX);
    ck_assert_int_eq(lg_tensor_indices(i32)[3], 7);
    unsigned char bytes[3];
    ck_assert_int_eq(lg_safetensors_read_bytes(file, lg_safetensors_find(file, "u8"), bytes), LG_OK);
    ck_assert_mem_eq(bytes, ((unsigned char[]){ 0, 255, 3 }), 3);
    lg_tensor *empty = lg_safetensors_tensor(file, "empty");
    ck_assert_uint_eq(lg_tensor_rank(empty), 2);
    ck_assert_uint_eq(lg_tensor_size(empty), 0);
    ck_assert_ptr_null(lg_safetensors_tensor(file, "flag"));
    expect_error(LG_E_DTYPE, "tensor \"flag\" is BOOL, but must be F32, F64, F16 or BF16");
    lg_tensor_free(f64);
    lg_tensor_free(i32);
    lg_tensor_free(empty);
    lg_safetensors_close(file);
}
END_TEST

START_TEST(half_precision_is_read_exactly)
{
    const double half[] = { 0.0, -0.0, 1, -2, 65504, 0x1p-14, 0x1p-24, -3 * 0x1p-24, INFINITY };
    const double brain[] = { 0.0, -0.0, 1, -2, 3 * 0x1p126, 0x1p-126, 0x1p-133, -3 * 0x1p-133, -INFINITY };
    lg_safetensors *file = opened(reference("torch_halves.safetensors"));
    lg_tensor *f16 = lg_safetensors_tensor(file, "half"), *bf16 = lg_safetensors_tensor(file, "brain");
    lg_tensor *scalar = lg_safetensors_tensor(file, "scalar");
    for (size_t i = 0; i < COUNT(half); i++) {
        ck_assert((double)lg_tensor_data(f16)[i] == half[i]);
        ck_assert((double)lg_tensor_data(bf16)[i] == brain[i]);
        ck_assert(!signbit(lg_tensor_data(f16)[i]) == !signbit(half[i]));
    }
    ck_assert(isnan(lg_tensor_data(f16)[9]) && isnan(lg_tensor_data(bf16)[9]));
    ck_assert_uint_eq(lg_tensor_rank(scalar), 0);
    ck_assert_double_eq(lg_tensor_item(scalar), 2.5);
    lg_tensor_free(f16);
    lg_tensor_free(bf16);
    lg_tensor_free(scalar);
    lg_safetensors_close(file);
}
END_TEST

START_TEST(a_model_of_pytorchs_loads_by_name)
{
    lg_params *params = lg_params_new();
    add_ramp(params, "0.weight", LG_SHAPE(3, 2), 9, 0);
    add_ramp(params, "0.bias", LG_SHAPE(3), 9, 0);
    add_ramp(params, "2.weight", LG_SHAPE(1, 3), 9, 0);
    add_ramp(params, "2.bias", LG_SHAPE(1), 9, 0);
    ck_assert_int_eq(lg_params_load(params, reference("torch_model.safetensors")), LG_OK);
    for (size_t i = 0; i < 4; i++)
        expect_ramp(params, lg_params_name(params, i), 0, 1.0 / 16);
    lg_params_free(params);
}
END_TEST

/* -------------------------------------------------------------------- writing */

START_TEST(what_is_written_is_byte_for_byte_what_the_python_library_writes)
{
    const float bias[] = { -1, -0.75F, -0.5F }, weight[] = { 0, 0.125F, 0.25F, 0.375F, 0.5F, 0.625F };
    const lg_file_entry small[] = { { "bias", LG_FILE_F32, LG_SHAPE(3), bias },
                                    { "weight", LG_FILE_F32, LG_SHAPE(2, 3), weight } };
    const lg_metadata classes = { "classes", "Katze, \"Hund\"\n\xC3\x84" "ffchen" };
    ck_assert_int_eq(lg_safetensors_write("small", small, 2, &classes, 1), LG_OK);

    const double f64[] = { 1.0 / 3, -1e300, 5e-324, INFINITY, NAN };
    const int32_t i32[] = { INT32_MIN, INT32_MAX, 0, 7 };
    const lg_file_entry types[] = { { "u8", LG_FILE_U8, LG_SHAPE(3), (unsigned char[]){ 0, 255, 3 } },
                                    { "flag", LG_FILE_BOOL, LG_SHAPE(2), (unsigned char[]){ 1, 0 } },
                                    { "empty", LG_FILE_F32, LG_SHAPE(0, 4), NULL },
                                    { "i32", LG_FILE_I32, LG_SHAPE(2, 2), i32 },
                                    { "f64", LG_FILE_F64, LG_SHAPE(5), f64 } };
    ck_assert_int_eq(lg_safetensors_write("types", types, 5, NULL, 0), LG_OK);

    static const char *const pairs[][2] = { { "small", "numpy_f32.safetensors" }, { "types", "numpy_types.safetensors" } };
    for (size_t i = 0; i < COUNT(pairs); i++) {
        unsigned char ours[LONGEST], theirs[LONGEST];
        const size_t count = contents(pairs[i][0], ours);
        ck_assert_uint_eq(count, contents(reference(pairs[i][1]), theirs));
        ck_assert_mem_eq(ours, theirs, count);
    }
}
END_TEST

START_TEST(a_set_comes_back_to_the_bit_with_its_texts)
{
    lg_params *params = small_set(), *other = lg_params_new();
    lg_tensor_data(lg_params_at(params, 1))[0] = (lg_real)NAN;
    lg_tensor_data(lg_params_at(params, 1))[1] = (lg_real)-0.0;
    lg_tensor_data(lg_params_at(params, 1))[2] = (lg_real)1 / 3;
    add_ramp(params, "scalar", LG_SCALAR_SHAPE, 5, 0);
    add_ramp(other, "scalar", LG_SCALAR_SHAPE, 0, 0); /* in another order */
    add_ramp(other, "weight", LG_SHAPE(2, 3), 0, 0);
    add_ramp(other, "bias", LG_SHAPE(3), 0, 0);
    const lg_metadata texts[] = { { "z", "" }, { "a", "[1, 2]" } };
    ck_assert_int_eq(lg_params_save(params, "model.safetensors", texts, 2), LG_OK);
    ck_assert_int_eq(lg_params_load(other, "model.safetensors"), LG_OK);
    for (size_t i = 0; i < 3; i++) {
        lg_tensor *from = lg_params_at(params, i), *to = lg_params_find(other, lg_params_name(params, i));
        ck_assert_mem_eq(lg_tensor_data(from), lg_tensor_data(to), lg_tensor_size(from) * sizeof(lg_real));
    }
    lg_safetensors *file = opened("model.safetensors");
    ck_assert_str_eq(lg_safetensors_metadata(file, "z"), "");
    ck_assert_str_eq(lg_safetensors_metadata_at(file, 1).value, "[1, 2]");
    lg_safetensors_close(file);
    lg_params_free(params);
    lg_params_free(other);
}
END_TEST

START_TEST(a_set_without_tensors_is_a_file_too)
{
    lg_params *none = lg_params_new();
    ck_assert_int_eq(lg_params_save(none, "none", NULL, 0), LG_OK);
    ck_assert_int_eq(lg_params_load(none, "none"), LG_OK);
    lg_params_free(none);
}
END_TEST

START_TEST(names_and_texts_that_no_file_can_hold_are_refused)
{
    const float x[] = { 1, 2 };
    const struct {
        lg_file_entry entries[2];
        size_t count;
        lg_status status;
        const char *part;
    } cases[] = {
        { { { "a", LG_FILE_F32, 0, NULL, NULL } }, 1, LG_E_PARAM, "the values of tensor \"a\" are NULL" },
        { { { NULL, LG_FILE_F32, 0, NULL, NULL } }, 1, LG_E_PARAM, "the name or the shape of tensor 0 is NULL" },
        { { { "", LG_FILE_F32, 0, NULL, "1234" } }, 1, LG_E_PARAM, "\"\" is no name" },
        { { { "__metadata__", LG_FILE_F32, 0, NULL, "1234" } }, 1, LG_E_PARAM, "is no name" },
        { { { "\xC3(", LG_FILE_F32, 0, NULL, "1234" } }, 1, LG_E_PARAM, "is no name" },
        { { { "\xED\xA0\x80", LG_FILE_F32, 0, NULL, "1234" } }, 1, LG_E_PARAM, "is no name" },
        { { { "a", (lg_file_dtype)99, 0, NULL, "1234" } }, 1, LG_E_PARAM, "99 is no type" },
        { { { "a", LG_FILE_F4, 0, NULL, "1234" } }, 1, LG_E_SHAPE, "no whole number of bytes" },
        { { { "a", LG_FILE_F32, LG_SHAPE(SIZE_MAX, 2), "1234" } }, 1, LG_E_SHAPE, "the size overflows" },
        { { { "a", LG_FILE_F32, 0, NULL, "1234" }, { "a", LG_FILE_F64, 0, NULL, "12345678" } }, 2, LG_E_PARAM,
          "there are two tensors \"a\"" },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        ck_assert_int_eq(lg_safetensors_write("file", cases[i].entries, cases[i].count, NULL, 0), cases[i].status);
        expect_error(cases[i].status, cases[i].part);
    }
    const lg_file_entry good = { "a", LG_FILE_F32, LG_SHAPE(2), x };
    const lg_metadata twice[] = { { "k", "1" }, { "k", "2" } }, broken = { "k", "\xFF" }, null = { "k", NULL };
    ck_assert_int_eq(lg_safetensors_write("file", &good, 1, twice, 2), LG_E_PARAM);
    expect_error(LG_E_PARAM, "there are two texts \"k\"");
    ck_assert_int_eq(lg_safetensors_write("file", &good, 1, &broken, 1), LG_E_PARAM);
    expect_error(LG_E_PARAM, "text \"k\" is not UTF-8");
    ck_assert_int_eq(lg_safetensors_write("file", &good, 1, &null, 1), LG_E_PARAM);
    expect_error(LG_E_PARAM, "the key or the value of text 0 is NULL");
    ck_assert_int_ne(access("file", F_OK), 0);
}
END_TEST

/* -------------------------------------------------------------------- loading */

START_TEST(a_file_of_another_model_is_refused_and_changes_nothing)
{
    lg_params *params = small_set();
    ck_assert_int_eq(lg_params_save(params, "model", NULL, 0), LG_OK);

    lg_params *more = small_set();
    add_ramp(more, "output.bias", LG_SHAPE(1), 4, 0);
    for (size_t i = 0; i < 3; i++)
        lg_tensor_data(lg_params_at(more, i))[0] = 77;
    ck_assert_int_eq(lg_params_load(more, "model"), LG_E_PARAM);
    expect_error(LG_E_PARAM, "model: has no tensor \"output.bias\"");
    for (size_t i = 0; i < 3; i++)
        ck_assert_double_eq((double)lg_tensor_data(lg_params_at(more, i))[0], 77);

    lg_params *fewer = lg_params_new();
    add_ramp(fewer, "weight", LG_SHAPE(2, 3), 7, 0);
    ck_assert_int_eq(lg_params_load(fewer, "model"), LG_E_PARAM);
    expect_error(LG_E_PARAM, "model: has a tensor \"bias\" that the model has not");
    lg_safetensors *file = opened("model");
    ck_assert_int_eq(lg_safetensors_read_params(file, "", fewer), LG_OK); /* which leaves strangers alone */
    expect_ramp(fewer, "weight", 0, 0.125);
    ck_assert_int_eq(lg_safetensors_read_params(file, "encoder.", fewer), LG_E_PARAM);
    expect_error(LG_E_PARAM, "has no tensor \"encoder.weight\"");
    lg_safetensors_close(file);

    lg_params *turned = lg_params_new();
    add_ramp(turned, "bias", LG_SHAPE(3), 7, 0);
    add_ramp(turned, "weight", LG_SHAPE(3, 2), 7, 0);
    ck_assert_int_eq(lg_params_load(turned, "model"), LG_E_SHAPE);
    expect_error(LG_E_SHAPE, "tensor \"weight\" is [2, 3] in the file, but [3, 2] in the model");
    expect_ramp(turned, "bias", 7, 0);
    ck_assert_int_eq(lg_params_load(turned, reference("numpy_types.safetensors")), LG_E_PARAM);
    lg_error_clear();
    lg_params_free(params);
    lg_params_free(more);
    lg_params_free(fewer);
    lg_params_free(turned);
}
END_TEST

START_TEST(what_is_no_file_is_refused)
{
    static const struct {
        const char *path;
        lg_status status;
        const char *part;
    } cases[] = { { "absent", LG_E_IO, "absent: cannot be opened: No such file" },
                  { ".", LG_E_IO, ".: is a directory, not a file of tensors" },
                  { "/dev/null", LG_E_IO, "is a device or a pipe" },
                  { "empty", LG_E_FORMAT, "empty: is no safetensors file: it has 0 bytes" } };
    scratch_write_text("empty", "");
    for (size_t i = 0; i < COUNT(cases); i++) {
        ck_assert_ptr_null(lg_safetensors_open(cases[i].path));
        expect_error(cases[i].status, cases[i].part);
    }
    ck_assert_ptr_null(lg_safetensors_open(NULL));
    expect_error(LG_E_PARAM, "the path is NULL");
    lg_safetensors_close(NULL);
    ck_assert_int_eq(lg_params_save(NULL, "x", NULL, 0), LG_E_PARAM);
    lg_error_clear();
    ck_assert_int_eq(lg_params_load(NULL, "x"), LG_E_PARAM);
    lg_error_clear();
}
END_TEST

/* ---------------------------------------------------------- the format's rules */

/* A file of this header and so many bytes of values; claimed < 0: the true length of the header. */
static void write_raw(const char *header, size_t data, int64_t claimed)
{
    static unsigned char bytes[LONGEST];
    const size_t length = strlen(header);
    const uint64_t n = claimed < 0 ? length : (uint64_t)claimed;
    memset(bytes, 0, sizeof bytes);
    for (size_t i = 0; i < 8; i++)
        bytes[i] = (unsigned char)(n >> 8 * i);
    memcpy(bytes + 8, header, length);
    scratch_write("raw", bytes, 8 + length + data);
}

#define ENTRY(name, dtype, shape, begin, end) \
    "\"" name "\":{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":[" begin "," end "]}"

START_TEST(every_rule_of_the_format_is_checked)
{
    static const struct {
        const char *header;
        size_t data;
        int64_t claimed;
        const char *part;
    } cases[] = {
        { "{}", 0, 3, "is cut: the header has 3 bytes, but 2 are left" },
        { "{}", 0, INT64_MAX, "exceeds the format's limit" },
        { "{}", 0, 100000001, "a header of 100000001 bytes exceeds the format's limit, 100000000" },
        { "{}", 0, 100000000, "is cut: the header has 100000000 bytes" },
        { "", 0, 0, "does not begin with '{'" },
        { " {}", 0, -1, "does not begin with '{'" },
        { "[]", 0, -1, "does not begin with '{'" },
        { "{", 0, -1, "is not the JSON it should be" },
        { "{} x", 0, -1, "is not the JSON it should be" },
        { "{\"a\\u0000\":1}", 0, -1, "is not the JSON it should be" },
        { "{\"\xFF\":1}", 0, -1, "is not the JSON it should be" },
        { "{" ENTRY("a", "F32", "[1]", "0", "4") "," ENTRY("a", "F32", "[1]", "4", "8") "}", 8, -1, "duplicate" },
        { "{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]}}", 4, -1, "duplicate" },
        { "{\"__metadata__\":[]}", 0, -1, "__metadata__ is no object" },
        { "{\"__metadata__\":{\"a\\u001b\":1}}", 0, -1, "the value of \"a?\" is no text" },
        { "{\"a\":3}", 0, -1, "tensor \"a\": is described by something that is no object" },
        { "{\"a\":{}}", 0, -1, "has no dtype" },
        { "{" ENTRY("a", "F33", "[1]", "0", "4") "}", 4, -1, "tensor \"a\": has no dtype, or one that is unknown" },
        { "{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,4]}}", 4, -1, "has no shape" },
        { "{" ENTRY("a", "F32", "[-1]", "0", "4") "}", 4, -1, "no whole number from 0" },
        { "{" ENTRY("a", "F32", "[1.0]", "0", "4") "}", 4, -1, "no whole number from 0" },
        { "{" ENTRY("a", "F32", "[99999999999999999999]", "0", "4") "}", 4, -1, "is not the JSON it should be" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}", 4, -1, "has no data_offsets" },
        { "{" ENTRY("a", "F32", "[1]", "4", "0") "}", 4, -1, "has no data_offsets [begin, end]" },
        { "{" ENTRY("a", "F32", "[1]", "0", "4,8") "}", 8, -1, "has no data_offsets" },
        { "{" ENTRY("a", "F32", "[2]", "0", "4") "}", 4, -1, "its shape makes 8 bytes of F32, but its data_offsets 4" },
        { "{" ENTRY("a", "F32", "[1]", "0", "8") "}", 8, -1, "its shape makes 4 bytes of F32, but its data_offsets 8" },
        { "{" ENTRY("a", "F32", "[2]", "0", "8") "}", 4, -1, "ends beyond the end of the file" },
        { "{" ENTRY("a", "F32", "[2684354560]", "0", "10737418240") "}", 4, -1, "ends beyond the end of the file" },
        { "{" ENTRY("a", "F32", "[2684354560]", "0", "4") "}", 4, -1, "its shape makes 10737418240 bytes" },
        { "{" ENTRY("a", "F32", "[4294967296,4294967296]", "0", "4") "}", 4, -1, "whose size overflows" },
        { "{" ENTRY("a", "F32", "[4611686018427387904]", "0", "4") "}", 4, -1, "whose size overflows" },
        { "{" ENTRY("a", "F4", "[3]", "0", "1") "}", 1, -1, "no whole number of bytes" },
        { "{" ENTRY("a", "F32", "[1]", "4", "8") "}", 8, -1, "begins after a hole" },
        { "{" ENTRY("b", "F32", "[1]", "8", "12") "," ENTRY("a", "F32", "[1]", "0", "4") "}", 12, -1,
          "tensor \"b\": begins after a hole" },
        { "{" ENTRY("a", "F32", "[2]", "0", "8") "," ENTRY("b", "F32", "[1]", "4", "8") "}", 8, -1,
          "tensor \"b\": overlaps" },
        { "{" ENTRY("a", "F32", "[1]", "0", "4") "}", 7, -1, "its last 3 bytes belong to no tensor" },
        { "{}", 1, -1, "its last 1 bytes belong to no tensor" },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        write_raw(cases[i].header, cases[i].data, cases[i].claimed);
        ck_assert_msg(!lg_safetensors_open("raw"), "case %zu is accepted: %s", i, cases[i].header);
        expect_error(LG_E_FORMAT, cases[i].part);
    }
}
END_TEST

START_TEST(what_the_format_allows_is_accepted)
{
    static const struct {
        const char *header;
        size_t data, count;
    } cases[] = {
        { "{}", 0, 0 },
        { "{}      ", 0, 0 },
        { "{\"__metadata__\":{}}", 0, 0 },
        { "{" ENTRY("b", "F32", "[1]", "4", "8") "," ENTRY("a", "F32", "[1]", "0", "4") "}", 8, 2 },
        { "{" ENTRY("a", "F32", "[]", "0", "4") "," ENTRY("e", "F32", "[3,0]", "4", "4") "," ENTRY("f", "I8", "[0]", "0", "0")
          "}", 4, 3 },
        { "{" ENTRY("a", "U8", "[1,1,1,1,1,1,2]", "0", "2") "}", 2, 1 },
        { "{" ENTRY("a", "F6_E2M3", "[4]", "0", "3") "}", 3, 1 },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        write_raw(cases[i].header, cases[i].data, -1);
        lg_safetensors *file = opened("raw");
        ck_assert_uint_eq(lg_safetensors_count(file), cases[i].count);
        lg_safetensors_close(file);
    }
    write_raw(cases[5].header, cases[5].data, -1);
    lg_safetensors *file = opened("raw");
    ck_assert_ptr_null(lg_safetensors_tensor(file, "a"));
    expect_error(LG_E_SHAPE, "has 7 axes");
    lg_safetensors_close(file);
}
END_TEST

/* --------------------------------------------------------------------- damage */

/* Opens a damaged file and reads what it has; a refusal says why. Returns whether it was accepted. */
static bool accepted(const unsigned char *bytes, size_t count, lg_params *params)
{
    scratch_write("damaged", bytes, count);
    lg_safetensors *file = lg_safetensors_open("damaged");
    if (!file) {
        ck_assert(lg_error_code() == LG_E_FORMAT && lg_error()[0]);
        lg_error_clear();
        ck_assert_int_lt(lg_params_load(params, "damaged"), 0);
        return false;
    }
    unsigned char values[LONGEST];
    for (size_t i = 0; i < lg_safetensors_count(file); i++) {
        const lg_file_tensor *tensor = lg_safetensors_at(file, i);
        ck_assert_uint_le(tensor->offset + tensor->bytes, count);
        ck_assert_int_eq(lg_safetensors_read_bytes(file, tensor, values), LG_OK);
    }
    lg_safetensors_close(file);
    const lg_status status = lg_params_load(params, "damaged");
    ck_assert(status == LG_OK || (status == lg_error_code() && lg_error()[0]));
    lg_error_clear();
    return true;
}

START_TEST(a_cut_file_is_refused_wherever_it_is_cut)
{
    unsigned char bytes[LONGEST];
    const size_t count = contents(reference("numpy_f32.safetensors"), bytes);
    lg_params *params = small_set();
    for (size_t i = 0; i < count; i++)
        ck_assert_msg(!accepted(bytes, i, params), "cut to %zu bytes", i);
    ck_assert(accepted(bytes, count, params));
    bytes[count] = 0;
    ck_assert(!accepted(bytes, count + 1, params));
    lg_params_free(params);
}
END_TEST

START_TEST(a_flipped_bit_is_refused_or_another_valid_file)
{
    unsigned char bytes[LONGEST];
    const size_t count = contents(reference("numpy_f32.safetensors"), bytes);
    const size_t values = 36, header_end = count - values;
    lg_params *params = small_set();
    size_t refused = 0;
    for (size_t bit = 0; bit < 8 * count; bit++) {
        bytes[bit / 8] ^= (unsigned char)(1U << bit % 8);
        const bool good = accepted(bytes, count, params);
        ck_assert(good || bit / 8 < header_end); /* values are anything */
        refused += !good;
        bytes[bit / 8] ^= (unsigned char)(1U << bit % 8);
    }
    ck_assert_uint_gt(refused, 4 * header_end); /* of 8: texts and names may change unnoticed */
    lg_params_free(params);
}
END_TEST

START_TEST(a_file_that_shrinks_while_it_is_open_is_an_error)
{
    lg_params *params = small_set();
    ck_assert_int_eq(lg_params_save(params, "model", NULL, 0), LG_OK);
    lg_safetensors *file = opened("model");
    ck_assert_int_eq(truncate("model", (off_t)(lg_safetensors_at(file, 1)->offset + 4)), 0);
    lg_tensor_data(lg_params_at(params, 0))[0] = 55;
    ck_assert_int_eq(lg_safetensors_read_params(file, "", params), LG_E_FORMAT);
    expect_error(LG_E_FORMAT, "has become shorter");
    ck_assert_double_eq((double)lg_tensor_data(lg_params_at(params, 0))[0], 55);
    lg_safetensors_close(file);
    lg_params_free(params);
}
END_TEST

/* ------------------------------------------------------------- disk and memory */

START_TEST(a_full_disk_leaves_the_old_file)
{
    unsigned char before[LONGEST], after[LONGEST];
    lg_params *params = small_set();
    ck_assert_int_eq(lg_params_save(params, "model", NULL, 0), LG_OK);
    const size_t count = contents("model", before);
    lg_tensor_data(lg_params_at(params, 0))[0] = 12;
    signal(SIGXFSZ, SIG_IGN);
    for (rlim_t room = 0; room < count; room += 20) { /* a limit on file sizes fails as a full disk does */
        ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &(struct rlimit){ room, RLIM_INFINITY }), 0);
        const lg_status status = lg_params_save(params, "model", NULL, 0);
        ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &(struct rlimit){ RLIM_INFINITY, RLIM_INFINITY }), 0);
        ck_assert_int_eq(status, LG_E_IO);
        expect_error(LG_E_IO, "model: cannot be written: File too large");
        ck_assert_uint_eq(contents("model", after), count);
        ck_assert_mem_eq(before, after, count);
    }
    ck_assert_int_eq(system("test \"$(ls)\" = model"), 0); /* nothing else lies about */
    ck_assert_int_eq(lg_params_save(params, "/dev/full", NULL, 0), LG_E_IO);
    expect_error(LG_E_IO, "/dev/full: cannot be written: No space left on device");
    struct stat about;
    ck_assert(stat("/dev/full", &about) == 0 && S_ISCHR(about.st_mode));
    ck_assert_int_eq(lg_params_save(params, "no/such/folder", NULL, 0), LG_E_IO);
    expect_error(LG_E_IO, "no/such/folder: cannot be written: No such file or directory");
    lg_params_free(params);
}
END_TEST

START_TEST(a_link_stays_a_link_and_modes_stay)
{
    struct stat about;
    lg_params *params = small_set();
    ck_assert_int_eq(mkdir("folder", 0777), 0);
    scratch_write_text("folder/model", "old");
    ck_assert_int_eq(chmod("folder/model", 0640), 0);
    ck_assert_int_eq(symlink("folder/model", "link"), 0);
    ck_assert_int_eq(lg_params_save(params, "link", NULL, 0), LG_OK);
    ck_assert(lstat("link", &about) == 0 && S_ISLNK(about.st_mode));
    ck_assert(lstat("folder/model", &about) == 0 && (about.st_mode & 0777) == 0640);
    ck_assert_int_eq(lg_params_load(params, "folder/model"), LG_OK);
    lg_params_free(params);
}
END_TEST

static lg_status save_and_load(void *context)
{
    lg_params *params = context;
    const lg_metadata text = { "key", "value" };
    lg_status status = lg_params_save(params, "model", &text, 1);
    if (status == LG_OK)
        status = lg_params_load(params, "model");
    lg_safetensors *file = status == LG_OK ? lg_safetensors_open("model") : NULL;
    lg_tensor *tensor = file ? lg_safetensors_tensor(file, "weight") : NULL;
    if (status == LG_OK && !tensor)
        status = lg_error_code();
    lg_tensor_free(tensor);
    lg_safetensors_close(file);
    return status;
}

static lg_status read_indices(void *context)
{
    lg_safetensors *file = lg_safetensors_open(context);
    lg_tensor *tensor = file ? lg_safetensors_tensor(file, "i32") : NULL;
    const lg_status status = tensor ? LG_OK : lg_error_code();
    lg_tensor_free(tensor);
    lg_safetensors_close(file);
    return status;
}

START_TEST(running_out_of_memory_is_an_error_anywhere)
{
    lg_params *params = small_set();
    ck_assert_uint_gt(for_each_allocation_failure(save_and_load, params), 10);
    lg_params_free(params);
    char path[4096];
    snprintf(path, sizeof path, "%s", reference("numpy_types.safetensors"));
    ck_assert_uint_ge(for_each_allocation_failure(read_indices, path), 6);
}
END_TEST

/* jansson's own allocations as well, which the tests' allocator sees when it is handed to jansson. */
START_TEST(the_json_librarys_memory_may_run_out_too)
{
    json_set_alloc_funcs(malloc, free);
    lg_params *params = small_set();
    ck_assert_int_eq(save_and_load(params), LG_OK); /* what is made once is made */
    size_t refused = 0;
    bool failed = true;
    for (size_t n = 1; failed; n++) {
        fail_alloc_at(n);
        const lg_status status = save_and_load(params);
        failed = fail_alloc_failed();
        const size_t left = fail_alloc_live();
        fail_alloc_off();
        ck_assert_msg(left == 0, "allocation %zu: %zu blocks are left", n, left);
        ck_assert_msg(!failed || status < 0, "allocation %zu is not missed", n);
        ck_assert(status == LG_OK || lg_error()[0]);
        refused += failed;
    }
    ck_assert_uint_gt(refused, 60);
    lg_params_free(params);
}
END_TEST

Suite *safetensors_suite(void)
{
    Suite *suite = suite_create("safetensors");
    TCase *tcase = tcase_create("safetensors");
    tcase_add_checked_fixture(tcase, scratch_enter, scratch_leave);
    tcase_set_timeout(tcase, 30);
    tcase_add_test(tcase, a_file_of_numpys_is_read);
    tcase_add_test(tcase, every_kind_of_number_is_listed_and_floats_are_rounded);
    tcase_add_test(tcase, half_precision_is_read_exactly);
    tcase_add_test(tcase, a_model_of_pytorchs_loads_by_name);
    tcase_add_test(tcase, what_is_written_is_byte_for_byte_what_the_python_library_writes);
    tcase_add_test(tcase, a_set_comes_back_to_the_bit_with_its_texts);
    tcase_add_test(tcase, a_set_without_tensors_is_a_file_too);
    tcase_add_test(tcase, names_and_texts_that_no_file_can_hold_are_refused);
    tcase_add_test(tcase, a_file_of_another_model_is_refused_and_changes_nothing);
    tcase_add_test(tcase, what_is_no_file_is_refused);
    tcase_add_test(tcase, every_rule_of_the_format_is_checked);
    tcase_add_test(tcase, what_the_format_allows_is_accepted);
    tcase_add_test(tcase, a_cut_file_is_refused_wherever_it_is_cut);
    tcase_add_test(tcase, a_flipped_bit_is_refused_or_another_valid_file);
    tcase_add_test(tcase, a_file_that_shrinks_while_it_is_open_is_an_error);
    tcase_add_test(tcase, a_full_disk_leaves_the_old_file);
    tcase_add_test(tcase, a_link_stays_a_link_and_modes_stay);
    tcase_add_test(tcase, running_out_of_memory_is_an_error_anywhere);
    tcase_add_test(tcase, the_json_librarys_memory_may_run_out_too);
    suite_add_tcase(suite, tcase);
    return suite;
}
