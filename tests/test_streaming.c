/* Data sets that are read from their file in blocks: the same as the reader in memory makes of it, and the same refusals.
 * Training on them is in test_streaming_fit.c. */
#include "data/streaming.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "data/npy.h"
#include "data/scaler.h"
#include "data/split.h"
#include "fail_alloc.h"
#include "scratch.h"
#include "support.h"
#include "tensor/random.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
enum { ROWS = 1500 }; /* six blocks of 256 */

/* -------------------------------------------------------------- comparison */

static void assert_same_text(const char *a, const char *b)
{
    ck_assert_msg((!a && !b) || (a && b && strcmp(a, b) == 0), "\"%s\" and \"%s\"", a ? a : "(none)", b ? b : "(none)");
}

static void assert_same_names(const lg_dataset *a, const lg_dataset *b)
{
    assert_same_text(lg_dataset_target_name(a), lg_dataset_target_name(b));
    ck_assert_uint_eq(lg_dataset_classes(a), lg_dataset_classes(b));
    for (size_t c = 0; c < lg_dataset_classes(a); c++)
        assert_same_text(lg_dataset_class_name(a, c), lg_dataset_class_name(b, c));
    for (size_t f = 0; f <= lg_dataset_features(a); f++)
        assert_same_text(lg_dataset_feature_name(a, f), lg_dataset_feature_name(b, f));
    for (size_t i = 0;; i++) {
        const lg_category_column *x = lg_dataset_category_column(a, i), *y = lg_dataset_category_column(b, i);
        ck_assert(!x == !y);
        if (!x)
            return;
        assert_same_text(x->name, y->name);
        ck_assert(x->first_feature == y->first_feature && x->features == y->features && x->categories == y->categories);
        for (size_t k = 0; k < x->categories; k++)
            assert_same_text(x->category[k], y->category[k]);
    }
}

/* Fields and shapes, and the bits of the rows ids[0..count). */
static void assert_same_rows(const lg_dataset *a, const lg_dataset *b, const size_t *ids, size_t count)
{
    lg_batch *in_a = lg_batch_new(a, count), *in_b = lg_batch_new(b, count);
    ck_assert_int_eq(lg_batch_fill(in_a, ids, count), LG_OK);
    ck_assert_msg(lg_batch_fill(in_b, ids, count) == LG_OK, "%s", lg_error());
    ck_assert_uint_eq(lg_dataset_field_count(a), lg_dataset_field_count(b));
    for (size_t f = 0; f < lg_dataset_field_count(a); f++) {
        const lg_field *x = lg_dataset_field_at(a, f), *y = lg_dataset_field_at(b, f);
        ck_assert_str_eq(x->name, y->name);
        ck_assert_int_eq(x->dtype, y->dtype);
        ck_assert_uint_eq(x->rank, y->rank);
        size_t size = count;
        for (size_t k = 0; k < x->rank; k++) {
            ck_assert_uint_eq(x->dims[k], y->dims[k]);
            size *= x->dims[k];
        }
        if (x->dtype == LG_REAL)
            ck_assert_mem_eq(lg_batch_values(in_a, x->name), lg_batch_values(in_b, x->name), size * sizeof(lg_real));
        else
            ck_assert_mem_eq(lg_batch_indices(in_a, x->name), lg_batch_indices(in_b, x->name), size * sizeof(int32_t));
    }
    lg_batch_free(in_a);
    lg_batch_free(in_b);
}

/* In order, in batches that straddle blocks; backwards; at random with repetition; from a subset. */
static void assert_same(const lg_dataset *a, const lg_dataset *b)
{
    const size_t rows = lg_dataset_rows(a);
    ck_assert_uint_eq(rows, lg_dataset_rows(b));
    assert_same_names(a, b);
    size_t *ids = malloc((rows + 20) * sizeof *ids);
    lg_rng rng = lg_rng_seed(5);
    for (size_t i = 0; i < rows; i++)
        ids[i] = i;
    for (size_t first = 0; first < rows; first += 100)
        assert_same_rows(a, b, ids + first, rows - first < 100 ? rows - first : 100);
    for (size_t i = 0; i < rows; i++)
        ids[i] = rows - 1 - i;
    assert_same_rows(a, b, ids, rows);
    for (size_t i = 0; i < 20; i++)
        ids[i] = lg_rng_below(&rng, rows);
    assert_same_rows(a, b, ids, 20);
    lg_dataset *part_a = lg_dataset_subset(a, ids, 20), *part_b = lg_dataset_subset(b, ids, 20);
    assert_same_rows(part_a, part_b, (size_t[]){ 19, 0, 7, 7 }, 4);
    lg_dataset_free(part_a);
    lg_dataset_free(part_b);
    free(ids);
}

static void assert_streams(const char *path, const lg_read_options *options)
{
    static const size_t buffers[] = { 1, 600, 0 };
    lg_dataset *whole = lg_dataset_read(path, options);
    ck_assert_msg(whole != NULL, "%s", lg_error());
    for (size_t i = 0; i < COUNT(buffers); i += test_stride(2)) {
        lg_dataset *streamed = lg_dataset_stream(path, options, buffers[i]);
        ck_assert_msg(streamed != NULL, "%s", lg_error());
        assert_same(whole, streamed);
        ck_assert_ptr_null(lg_dataset_values(streamed, "x"));
        lg_dataset_free(streamed);
    }
    lg_dataset_free(whole);
}

/* -------------------------------------------------------------------- CSV */

/* Numbers, texts of a few kinds, some of them with line ends in quotes, gaps, classes. The last category, and the last
 * class, come late in the file. */
static void write_table(const char *path)
{
    static const char *const colours[] = { "red", "\"deep\nblue\"", "green", "\"a \"\"b\"\"\"", "late" };
    static const char *const ends[] = { "\n", "\r\n", "\r" };
    FILE *file = fopen(path, "wb");
    fprintf(file, "a,colour,gaps,id,when,class,kind\n");
    lg_rng rng = lg_rng_seed(3);
    for (size_t i = 0; i < ROWS; i++) {
        const size_t colour = i > 1200 ? 4 : lg_rng_below(&rng, 4);
        fprintf(file, "%.5f,%s,", lg_rng_normal(&rng), colours[colour]);
        if (lg_rng_below(&rng, 5) > 0)
            fprintf(file, "%d", (int)lg_rng_below(&rng, 100) - 50);
        fprintf(file, ",%zu,%s,%d,%s%s", i, i % 7 ? "noon" : "NA", i == 1400 ? 9 : (int)lg_rng_below(&rng, 3),
                i % 3 ? "ham" : "spam", ends[i / 40 % 3]);
        if (i % 97 == 0)
            fputs("\n", file);
    }
    fclose(file);
}

static const char *const drop_gaps[] = { "gaps", "when", NULL };
static const char *const text_class[] = { "class", NULL };

static const lg_csv_options tables[] = {
    { .missing = LG_MISSING_KEEP },
    { .missing = LG_MISSING_MEAN, .target = "class", .target_kind = LG_CLASSES },
    { .missing = LG_MISSING_CONSTANT, .missing_value = -3.25, .target = "kind", .text = LG_TEXT_CODES },
    { .missing = LG_MISSING_DROP_ROW, .target = "kind", .positive = "spam" },
    { .drop = drop_gaps, .target = "a", .text_columns = text_class },
    { .drop = drop_gaps, .target = "class", .positive = "2" },
    { .missing = LG_MISSING_KEEP, .target = "kind", .target_kind = LG_BINARY },
};

START_TEST(a_table_is_streamed_as_it_is_read)
{
    write_table("t.csv");
    assert_streams("t.csv", &(lg_read_options){ .csv = tables[_i] });
}
END_TEST

START_TEST(a_table_is_streamed_like_another)
{
    write_table("t.csv");
    lg_dataset *like = lg_dataset_read_csv("t.csv", &tables[2]);
    const lg_read_options options = { .csv = { .missing = LG_MISSING_CONSTANT, .like = like } };
    lg_dataset *whole = lg_dataset_read("t.csv", &options), *streamed = lg_dataset_stream("t.csv", &options, 300);
    ck_assert_msg(whole && streamed, "%s", lg_error());
    lg_dataset_free(like); /* not needed any more */
    assert_same(whole, streamed);
    lg_dataset_free(whole);
    lg_dataset_free(streamed);
}
END_TEST

START_TEST(tables_of_other_shapes_are_streamed_too)
{
    scratch_write_text("small.csv", "1;2;0\n3;4;1\n");
    assert_streams("small.csv", &(lg_read_options){ .csv = { .delimiter = ';', .target = "-1" } });
    scratch_write_text("mark.csv", "\xEF\xBB\xBFnot the table\na,b\n1,2");
    assert_streams("mark.csv", &(lg_read_options){ .csv.skip_lines = 1 });
}
END_TEST

/* ------------------------------------------------------------------ arrays */

/* A header of version 1.0 for what follows. */
static FILE *begin_npy(const char *path, const char *type, const char *order, const char *shape)
{
    FILE *file = fopen(path, "wb");
    char text[128];
    int length = snprintf(text, sizeof text, "{'descr': '%s', 'fortran_order': %s, 'shape': %s, }\n", type, order, shape);
    fwrite("\x93NUMPY\1\0", 1, 8, file);
    fputc(length, file);
    fputc(0, file);
    fwrite(text, 1, (size_t)length, file);
    return file;
}

/* [ROWS, 4]: the last column is 0, 1 or 2. */
static void write_doubles(const char *path)
{
    FILE *file = begin_npy(path, "<f8", "False", "(1500, 4)");
    lg_rng rng = lg_rng_seed(8);
    for (size_t i = 0; i < ROWS; i++) {
        const double row[] = { lg_rng_normal(&rng), (double)i, -0.0, (double)(i % 3) };
        fwrite(row, sizeof *row, 4, file);
    }
    fclose(file);
}

START_TEST(arrays_are_streamed_as_they_are_read)
{
    write_doubles("t.npy");
    static const lg_csv_options kinds[] = { { 0 },
                                            { .target = "1" },
                                            { .target = "-1", .target_kind = LG_CLASSES },
                                            { .target = "3", .target_kind = LG_BINARY, .positive = "2" },
                                            { .target = "0" } };
    for (size_t i = 0; i < COUNT(kinds); i++)
        assert_streams("t.npy", &(lg_read_options){ .csv = kinds[i] });
}
END_TEST

START_TEST(every_type_of_element_is_streamed)
{
    static const struct { const char *type; size_t bytes; } types[] = { { "|u1", 1 }, { ">i2", 2 }, { "<u4", 4 },
                                                                        { "<i8", 8 }, { "|b1", 1 }, { "<f2", 2 } };
    for (size_t t = 0; t < COUNT(types); t++) {
        FILE *file = begin_npy("t.npy", types[t].type, "False", "(300, 2, 3)");
        for (size_t i = 0; i < 300 * 6 * types[t].bytes; i++)
            fputc((int)(i * 37 % 100), file); /* below the infinities of f2 */
        fclose(file);
        assert_streams("t.npy", NULL);
        assert_streams("t.npy", &(lg_read_options){ .flatten = true, .unit_bytes = true });
    }
    FILE *file = begin_npy("t.npy", "<f4", "True", "(700,)"); /* one axis has one order */
    for (size_t i = 0; i < 700; i++)
        fwrite(&(float){ (float)i / 8 }, sizeof(float), 1, file);
    fclose(file);
    assert_streams("t.npy", NULL);
}
END_TEST

/* Pictures as MNIST has them, and their labels. */
START_TEST(idx_files_are_streamed_with_their_labels)
{
    unsigned char pictures[16 + 600 * 4] = { 0, 0, 8, 3, 0, 0, 2, 88, 0, 0, 0, 2, 0, 0, 0, 2 };
    unsigned char labels[8 + 600] = { 0, 0, 8, 1, 0, 0, 2, 88 };
    for (size_t i = 0; i < 600; i++) {
        for (size_t k = 0; k < 4; k++)
            pictures[16 + 4 * i + k] = (unsigned char)(i * 7 + k * 50);
        labels[8 + i] = (unsigned char)(i < 500 ? i % 3 : 7);
    }
    scratch_write("x.idx", pictures, sizeof pictures);
    scratch_write("y.idx", labels, sizeof labels);
    assert_streams("x.idx", &(lg_read_options){ .labels = "y.idx", .unit_bytes = true });
    assert_streams("x.idx", &(lg_read_options){ .labels = "y.idx", .flatten = true, .csv.target_kind = LG_VALUES });
    assert_streams("x.idx", &(lg_read_options){ .labels = "y.idx", .csv.positive = "7" });
    scratch_write("y.idx", labels, 7);
    ck_assert_ptr_null(lg_dataset_stream("x.idx", &(lg_read_options){ .labels = "y.idx" }, 0));
    ck_assert_int_eq(lg_error_code(), LG_E_FORMAT);
}
END_TEST

/* ---------------------------------------------------------------- refusals */

/* What is wrong is told when the file is opened, as by the reader in memory: wherever in the file it is. */
START_TEST(what_is_wrong_in_the_middle_is_told_with_its_place)
{
    static const struct { const char *row; const char *message; } cases[] = {
        { "12;5,0.5,x,1\n", "bad.csv:702: column \"a\": \"12;5\" is not a number" },
        { "1,2,3\n", "bad.csv:702: 3 cells, but the first row has 4" },
        { "1,,x,0\n", "bad.csv:702: column \"b\": \"\" is a missing value; options (missing) can fill or drop it" },
        { "1,inf,x,0\n", "bad.csv:702: column \"b\": \"inf\" is not a finite number" },
        { "1,2,x,\n", "bad.csv:702: column \"y\": \"\" is a missing value, and this is the target; options (missing) can "
                      "drop the row" },
        { "1,2,\"x,0\n", "bad.csv:702: a quote opens here and is never closed" },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        FILE *file = fopen("bad.csv", "wb");
        fputs("a,b,c,y\n", file);
        for (size_t row = 0; row < 1000; row++)
            fputs(row == 700 ? cases[i].row : row % 2 ? "1,2,x,0\n" : "2,1,z,1\n", file);
        fclose(file);
        const lg_read_options options = { .csv.target = "y" };
        lg_error_clear();
        ck_assert_ptr_null(lg_dataset_stream("bad.csv", &options, 256));
        ck_assert_msg(strcmp(lg_error(), cases[i].message) == 0, "%s", lg_error());
        ck_assert_ptr_null(lg_dataset_read("bad.csv", &options));
        ck_assert_str_eq(lg_error(), cases[i].message);
    }
}
END_TEST

START_TEST(a_number_of_an_array_that_is_none_is_told_with_its_place)
{
    write_doubles("t.npy");
    FILE *file = fopen("t.npy", "r+b");
    fseek(file, -(long)(sizeof(double) * 4 * 400), SEEK_END);
    fwrite(&(double){ (double)NAN }, sizeof(double), 1, file);
    fclose(file);
    lg_error_clear();
    ck_assert_ptr_null(lg_dataset_stream("t.npy", NULL, 256));
    ck_assert_msg(strstr(lg_error(), "element [1100, 0] is nan, and only finite numbers are expected"), "%s", lg_error());
    ck_assert_ptr_null(lg_dataset_stream("t.npy", &(lg_read_options){ .csv.target = "0", .csv.allow_nonfinite = true }, 256));
    ck_assert_str_eq(lg_error(), "t.npy: row 1100: the target, column 0, is not a finite number");
    assert_streams("t.npy", &(lg_read_options){ .csv.missing = LG_MISSING_KEEP });
}
END_TEST

static void assert_refused(const char *path, const lg_read_options *options, const char *words)
{
    lg_error_clear();
    ck_assert_ptr_null(lg_dataset_stream(path, options, 0));
    ck_assert_msg(strstr(lg_error(), words) && strncmp(lg_error(), path, strlen(path)) == 0, "%s", lg_error());
    ck_assert(!strchr(lg_error(), '\n'));
}

START_TEST(what_cannot_be_streamed_is_refused)
{
    scratch_write_gzip("t.csv.gz", "a,b\n1,2\n", 8);
    assert_refused("t.csv.gz", NULL, "is packed, or no file");
    scratch_write_text("t.svm", "+1 1:0.5 3:1\n-1 2:1\n");
    assert_refused("t.svm", NULL, "is a file of LIBSVM, which is not streamed; CSV, NPY and IDX are");
    scratch_write("t.npz", "PK\3\4........", 12);
    assert_refused("t.npz", NULL, "is an archive; the NPY file in it can be streamed");
    fclose(begin_npy("f.npy", "<f4", "True", "(0, 2)"));
    assert_refused("f.npy", NULL, "there are no rows");
    FILE *file = begin_npy("f.npy", "<f4", "True", "(2, 2)");
    fwrite((float[]){ 1, 2, 3, 4 }, sizeof(float), 4, file);
    fclose(file);
    assert_refused("f.npy", NULL, "the array is in Fortran order");
    scratch_write_text("t.csv", "a,b\n1,2\n,3\n");
    assert_refused("t.csv", &(lg_read_options){ .csv.missing = LG_MISSING_MEDIAN }, "medians");
    assert_refused("t.csv", &(lg_read_options){ .labels = "t.csv" }, "the target is a column, not a labels file");
    assert_refused("t.csv", &(lg_read_options){ .csv.target = "c" }, "there is no column \"c\" for the target");
    scratch_write_text("same.csv", "a,b\n1,2\n2,2\n");
    assert_refused("same.csv", &(lg_read_options){ .csv.target = "b" }, "the target is 2 in every row");
    assert_refused("same.csv", &(lg_read_options){ .csv = { .target = "b", .target_kind = LG_CLASSES } },
                   "a classifier needs at least two classes");
    scratch_write_text("empty.csv", "");
    assert_refused("empty.csv", NULL, "is empty");
    scratch_write_text("head.csv", "a,b\n");
    assert_refused("head.csv", NULL, "there is a header, but no rows");
    assert_refused("none.csv", NULL, "No such file");
    assert_refused("/dev/null", NULL, "is packed, or no file");
    ck_assert_ptr_null(lg_dataset_stream(NULL, NULL, 0));
}
END_TEST

/* A header that promises 10 GB in a file of 1 KB, plain: nothing of that size is asked for. */
START_TEST(a_header_that_promises_too_much_is_refused)
{
    FILE *file = begin_npy("t.npy", "<f4", "False", "(2684354560, 1)");
    for (size_t i = 0; i < 1024; i++)
        fputc(0, file);
    fclose(file);
    fail_alloc_at(0);
    lg_dataset *dataset = lg_dataset_stream("t.npy", NULL, 0);
    const size_t live = fail_alloc_live();
    fail_alloc_off();
    ck_assert_ptr_null(dataset);
    ck_assert_uint_eq(live, 0);
    ck_assert_msg(strstr(lg_error(), "2684354560 x 1 f4") && strstr(lg_error(), "but the file has"), "%s", lg_error());
}
END_TEST

START_TEST(a_file_that_changes_while_it_is_in_use_is_refused)
{
    write_table("t.csv");
    write_doubles("t.npy");
    const char *const paths[] = { "t.csv", "t.npy" };
    for (size_t i = 0; i < 4; i++) {
        const char *path = paths[i % 2];
        lg_dataset *dataset = lg_dataset_stream(path, &(lg_read_options){ .csv.missing = LG_MISSING_KEEP }, 256);
        lg_batch *batch = lg_batch_new(dataset, 4);
        ck_assert_int_eq(lg_batch_fill(batch, (size_t[]){ 0, 1000 }, 2), LG_OK);
        if (i < 2)
            ck_assert_int_eq(truncate(path, 9000), 0); /* a mapping would die of SIGBUS here */
        else {
            FILE *file = fopen(path, "ab");
            fputs("1", file);
            fclose(file);
        }
        ck_assert_int_eq(lg_batch_fill(batch, (size_t[]){ 1400 }, 1), LG_E_STATE);
        ck_assert_msg(strstr(lg_error(), "has changed since it was opened"), "%s", lg_error());
        ck_assert_uint_eq(lg_batch_rows(batch), 0);
        lg_batch_free(batch);
        lg_dataset_free(dataset);
        write_table("t.csv");
        write_doubles("t.npy");
    }
}
END_TEST

/* ------------------------------------------------------------- preparation */

START_TEST(scaler_and_imputer_do_as_in_memory)
{
    write_table("t.csv");
    const lg_read_options options = { .csv = { .missing = LG_MISSING_KEEP, .target = "kind", .positive = "spam" } };
    lg_dataset *sets[] = { lg_dataset_read("t.csv", &options), lg_dataset_stream("t.csv", &options, 512) };
    for (size_t i = 0; i < 2; i++) {
        lg_rng rng = lg_rng_seed(1);
        lg_split *split = lg_split_dataset(sets[i], 0.25, 0, &rng);
        lg_imputer *imputer = lg_imputer_fit(sets[i], LG_IMPUTE_MEAN, 0, split->train, split->train_rows);
        ck_assert_int_eq(lg_imputer_apply(imputer, sets[i]), LG_OK);
        lg_scaler *scaler = lg_scaler_fit(sets[i], split->train, split->train_rows);
        ck_assert_int_eq(lg_scaler_apply(scaler, sets[i]), LG_OK);
        if (i == 1) {
            ck_assert_int_eq(lg_scaler_apply(scaler, sets[1]), LG_E_STATE);
            ck_assert_str_eq(lg_error(), "scaler_apply: what is streamed is scaled once");
            ck_assert_int_eq(lg_imputer_apply(imputer, sets[1]), LG_E_STATE);
            ck_assert_ptr_null(lg_imputer_fit(sets[1], LG_IMPUTE_MEDIAN, 0, NULL, 0));
            ck_assert_int_eq(lg_error_code(), LG_E_STATE);
        }
        lg_scaler_free(scaler);
        lg_imputer_free(imputer);
        lg_split_free(split);
    }
    assert_same(sets[0], sets[1]);
    lg_dataset_free(sets[0]);
    lg_dataset_free(sets[1]);
}
END_TEST

/* ------------------------------------------------------------------- order */

static void take_epoch(lg_sampler *sampler, uint64_t epoch, size_t *ids, size_t rows)
{
    size_t got = 0, now;
    lg_sampler_begin(sampler, epoch);
    while ((now = lg_sampler_next(sampler, 37, ids + got)) > 0)
        got += now;
    ck_assert_uint_eq(got, rows);
}

/* Every row once; each stretch of four blocks' rows is of four blocks, since that many are held; the same epoch again is
 * the same, another another. */
START_TEST(an_epoch_wants_each_block_once)
{
    enum { HELD = 4, BLOCK = 256 };
    write_doubles("t.npy");
    lg_dataset *all = lg_dataset_stream("t.npy", NULL, HELD * BLOCK);
    size_t part[ROWS / 2], first[ROWS], again[ROWS];
    for (size_t i = 0; i < ROWS / 2; i++)
        part[i] = 2 * i;
    lg_dataset *half = lg_dataset_subset(all, part, ROWS / 2);
    lg_rng rng = lg_rng_seed(2);
    for (size_t k = 0; k < 2; k++) {
        const lg_dataset *of = k ? half : all;
        const size_t rows = lg_dataset_rows(of), block = k ? BLOCK / 2 : BLOCK;
        lg_sampler *sampler = lg_sampler_for(of, true, &rng);
        ck_assert_uint_eq(lg_sampler_window(sampler), HELD);
        ck_assert_ptr_null(lg_sampler_epoch(sampler, 1));
        take_epoch(sampler, 1, first, rows);
        bool seen[ROWS] = { false }, moved = false;
        size_t in_window[ROWS] = { 0 };
        for (size_t i = 0; i < rows; i++) {
            ck_assert(first[i] < rows && !seen[first[i]]);
            seen[first[i]] = true;
            moved = moved || (i > 0 && first[i] / block != first[i - 1] / block);
        }
        ck_assert(moved);
        size_t blocks = 0; /* of the first window; the short last block may be among them */
        for (size_t i = 0; i < rows && blocks <= HELD; i++) {
            blocks += in_window[first[i] / block]++ == 0;
            ck_assert(blocks <= HELD || i >= (HELD - 1) * block);
        }
        take_epoch(sampler, 2, again, rows);
        ck_assert_int_ne(memcmp(first, again, rows * sizeof *first), 0);
        take_epoch(sampler, 1, again, rows);
        ck_assert_mem_eq(first, again, rows * sizeof *first);
        lg_sampler_free(sampler);
    }
    lg_dataset_free(half);
    lg_dataset_free(all);
}
END_TEST

START_TEST(a_buffer_for_all_rows_gives_the_order_of_memory)
{
    write_doubles("t.npy");
    size_t streamed_ids[ROWS];
    lg_rng rng = lg_rng_seed(2);
    lg_dataset *streamed = lg_dataset_stream("t.npy", NULL, 0);
    lg_sampler *sampler = lg_sampler_for(streamed, true, &rng), *plain = lg_sampler_new(ROWS, true, &rng);
    ck_assert_uint_eq(lg_sampler_window(sampler), 0);
    take_epoch(sampler, 3, streamed_ids, ROWS);
    ck_assert_mem_eq(streamed_ids, lg_sampler_epoch(plain, 3), sizeof streamed_ids);
    lg_sampler_free(sampler);
    lg_sampler_free(plain);
    lg_dataset_free(streamed);
}
END_TEST

/* ------------------------------------------------------------------ memory */

static lg_status stream_and_read(void *options)
{
    lg_dataset *dataset = lg_dataset_stream(((const char *const *)options)[0], &(lg_read_options){
        .csv = { .target = "-1", .missing = LG_MISSING_MEAN, .target_kind = LG_CLASSES } }, 256);
    lg_scaler *scaler = dataset ? lg_scaler_fit(dataset, NULL, 0) : NULL;
    lg_status status = scaler ? lg_scaler_apply(scaler, dataset) : lg_error_code();
    lg_rng rng = lg_rng_seed(1);
    lg_sampler *sampler = status == LG_OK ? lg_sampler_for(dataset, true, &rng) : NULL;
    lg_batch *batch = sampler ? lg_batch_new(dataset, 40) : NULL;
    status = batch ? lg_batch_fill(batch, (size_t[]){ 299, 0 }, 2) : lg_error_code();
    lg_batch_free(batch);
    lg_sampler_free(sampler);
    lg_scaler_free(scaler);
    lg_dataset_free(dataset);
    return status;
}

START_TEST(a_failed_allocation_is_an_error_and_leaves_nothing)
{
    FILE *csv = fopen("t.csv", "wb"), *npy = begin_npy("t.npy", "<f4", "False", "(300, 2)");
    fputs("a,b,c\n", csv);
    for (int i = 0; i < 300; i++) {
        fprintf(csv, "%s,%s,%d\n", i == 3 ? "" : "1.5", i % 2 ? "x" : "y", i % 3);
        fwrite((float[]){ (float)i, (float)(i % 3) }, sizeof(float), 2, npy);
    }
    fclose(csv);
    fclose(npy);
    const char *path = "t.csv";
    ck_assert_uint_gt(for_each_allocation_failure(stream_and_read, &path), 50);
    path = "t.npy";
    ck_assert_uint_gt(for_each_allocation_failure(stream_and_read, &path), 20);
}
END_TEST

Suite *streaming_suite(void)
{
    Suite *suite = suite_create("streaming");
    TCase *tcase = tcase_create("streaming");
    tcase_add_checked_fixture(tcase, scratch_enter, scratch_leave);
    tcase_add_loop_test(tcase, a_table_is_streamed_as_it_is_read, 0, (int)COUNT(tables));
    tcase_add_test(tcase, a_table_is_streamed_like_another);
    tcase_add_test(tcase, tables_of_other_shapes_are_streamed_too);
    tcase_add_test(tcase, arrays_are_streamed_as_they_are_read);
    tcase_add_test(tcase, every_type_of_element_is_streamed);
    tcase_add_test(tcase, idx_files_are_streamed_with_their_labels);
    tcase_add_test(tcase, what_is_wrong_in_the_middle_is_told_with_its_place);
    tcase_add_test(tcase, a_number_of_an_array_that_is_none_is_told_with_its_place);
    tcase_add_test(tcase, what_cannot_be_streamed_is_refused);
    tcase_add_test(tcase, a_header_that_promises_too_much_is_refused);
    tcase_add_test(tcase, a_file_that_changes_while_it_is_in_use_is_refused);
    tcase_add_test(tcase, scaler_and_imputer_do_as_in_memory);
    tcase_add_test(tcase, an_epoch_wants_each_block_once);
    tcase_add_test(tcase, a_buffer_for_all_rows_gives_the_order_of_memory);
    tcase_add_test(tcase, a_failed_allocation_is_an_error_and_leaves_nothing);
    suite_add_tcase(suite, tcase);
    return suite;
}
