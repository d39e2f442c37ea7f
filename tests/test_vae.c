/* The variational autoencoder as a program: what it learns, what it draws, what it leaves, how it fails. It is run as a
 * user runs it. */
#include "program.h"
#include "support.h"

#include <check.h>
#include <ctype.h>
#include <jansson.h>
#include <luge.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define SHORT "$bin/vae --epochs 2 "
#define COUNT(array) (sizeof(array) / sizeof *(array))

/* A number of a run.json, "metrics.validation.loss". */
static double fact(const char *file, const char *key)
{
    json_error_t error;
    json_t *root = json_loads(program_file(file), JSON_REJECT_DUPLICATES, &error), *value = root;
    ck_assert_msg(root != NULL, "%s: %s", file, error.text);
    char names[128];
    snprintf(names, sizeof names, "%s", key);
    char *rest = names;
    for (const char *name; (name = strsep(&rest, ".")) != NULL;)
        value = json_object_get(value, name);
    ck_assert_msg(json_is_number(value), "%s: no number %s", file, key);
    double number = json_number_value(value);
    json_decref(root);
    return number;
}

/* The digits as they are in data/, values 0 .. 16. */
static lg_dataset *digits(void)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/data/digits.csv.gz", test_source_dir());
    lg_dataset *dataset = lg_dataset_read_csv(path, &(lg_csv_options){ .target = "-1", .target_kind = LG_CLASSES });
    ck_assert_msg(dataset != NULL, "%s", lg_error());
    return dataset;
}

static lg_history *history_of(const char *name)
{
    lg_history *history = lg_history_read(program_path(name));
    ck_assert_msg(history != NULL, "%s", lg_error());
    return history;
}

static double value(const lg_history *history, size_t row, const char *name)
{
    size_t rows;
    const double *column = lg_history_column(history, name, &rows);
    ck_assert_msg(column != NULL && row < rows, "%s in row %zu", name, row);
    return column[row];
}

/* ---- pictures -------------------------------------------------------------------------------------------------------- */

typedef struct grey_picture {
    size_t width, height;
    unsigned char *pixels;
} grey_picture;

static size_t big_endian(const unsigned char *bytes)
{
    return (size_t)bytes[0] << 24 | (size_t)bytes[1] << 16 | (size_t)bytes[2] << 8 | bytes[3];
}

static unsigned char paeth(int left, int above, int corner)
{
    const int p = left + above - corner, a = abs(p - left), b = abs(p - above), c = abs(p - corner);
    return (unsigned char)(a <= b && a <= c ? left : b <= c ? above : corner);
}

/* Undoes the filter of each line (PNG specification, section 9): its first byte says which. */
static void unfilter(const unsigned char *lines, grey_picture *picture)
{
    const size_t width = picture->width;
    for (size_t y = 0; y < picture->height; y++) {
        const unsigned char *line = lines + y * (width + 1);
        unsigned char *out = picture->pixels + y * width;
        for (size_t x = 0; x < width; x++) {
            const unsigned char left = x ? out[x - 1] : 0, above = y ? out[x - width] : 0;
            const unsigned char corner = x && y ? out[x - width - 1] : 0;
            const unsigned char guesses[] = { 0, left, above, (unsigned char)((left + above) / 2),
                                              paeth(left, above, corner) };
            ck_assert_uint_lt(line[0], 5);
            out[x] = (unsigned char)(line[1 + x] + guesses[line[0]]);
        }
    }
}

/* An 8-bit grey PNG, read from its specification. */
static grey_picture read_png(const char *name)
{
    FILE *file = fopen(program_path(name), "rb");
    ck_assert_msg(file != NULL, "there is no %s", name);
    static unsigned char bytes[1 << 20], packed[1 << 20];
    const size_t count = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    ck_assert_mem_eq(bytes, "\x89PNG\r\n\x1A\n", 8);
    ck_assert_mem_eq(bytes + 12, "IHDR", 4);
    ck_assert_mem_eq(bytes + 24, "\x08\0\0\0\0", 5); /* 8 bits, grey, not interlaced */
    grey_picture picture = { big_endian(bytes + 16), big_endian(bytes + 20), NULL };
    size_t total = 0;
    for (size_t at = 8, length; at + 12 <= count; at += 12 + length) {
        length = big_endian(bytes + at);
        ck_assert_uint_le(at + 12 + length, count);
        ck_assert_uint_eq(crc32(0, bytes + at + 4, (uInt)length + 4), big_endian(bytes + at + 8 + length));
        if (memcmp(bytes + at + 4, "IDAT", 4) == 0) {
            memcpy(packed + total, bytes + at + 8, length);
            total += length;
        }
    }
    uLongf unpacked = (picture.width + 1) * picture.height;
    unsigned char *lines = malloc(unpacked);
    ck_assert_int_eq(uncompress(lines, &unpacked, packed, total), Z_OK);
    ck_assert_uint_eq(unpacked, (picture.width + 1) * picture.height);
    picture.pixels = malloc(picture.width * picture.height);
    unfilter(lines, &picture);
    free(lines);
    return picture;
}

/* 12 pictures of 8 x 8 to a row, their pixels 7 x 7, gaps of 2 around, and bands set off by 10 more. */
enum { SCALE = 7, CELL = 8 * SCALE, STEP = CELL + 2, WIDTH = 2 + 12 * STEP };

static unsigned char cell_pixel(const grey_picture *p, size_t top, size_t column, size_t i)
{
    const size_t y = top + i / 8 * SCALE + SCALE / 2, x = 2 + column * STEP + i % 8 * SCALE + SCALE / 2;
    return p->pixels[y * p->width + x];
}

/* ---- what it learns -------------------------------------------------------------------------------------------------- */

/* tests/reference/vae.py trains the same autoencoder in PyTorch 2.13 (64-128-8, Adam at 0.003, 100 epochs in batches of
 * 64, 359 rows held out), over ten seeds: negative ELBO 24.2156 +- 0.0902 (from 24.0145 to 24.3391), reconstruction
 * 20.7807 +- 0.0870, KL 3.4349 +- 0.0810. Asserted within four deviations. */
#define REFERENCE_LOSS 24.2156
#define REFERENCE_LOSS_DEVIATION 0.0902
#define REFERENCE_KL 3.4349
#define REFERENCE_KL_DEVIATION 0.0810

static void check_losses(void)
{
    lg_history *history = history_of("runs/vae/history.csv");
    ck_assert_uint_eq(lg_history_rows(history), 100);
    const double loss = lg_history_last(history, "val_loss");
    ck_assert_double_lt(loss, REFERENCE_LOSS + 4 * REFERENCE_LOSS_DEVIATION);
    ck_assert_double_gt(loss, REFERENCE_LOSS - 4 * REFERENCE_LOSS_DEVIATION);
    ck_assert_double_eq_tol(lg_history_last(history, "val_kl"), REFERENCE_KL, 4 * REFERENCE_KL_DEVIATION);
    const double parts = lg_history_last(history, "val_reconstruction") + lg_history_last(history, "val_kl");
    ck_assert_double_eq_tol(loss, parts, 1e-4);
    ck_assert_double_eq_tol(lg_history_last(history, "loss"),
                            lg_history_last(history, "reconstruction") + lg_history_last(history, "kl"), 1e-4);
    /* one code for each row, or the mean of 16: the same but for noise */
    ck_assert_double_eq_tol(fact("runs/vae/run.json", "metrics.validation.loss"), loss, 0.3);
    const double used = fact("runs/vae/run.json", "metrics.units_in_use");
    ck_assert(used >= 3 && used <= 8);
    lg_history_free(history);
}

/* predictions.csv: every row once, in order; 359 of validation; the loss is the sum of its parts; the mean is run.json's. */
static void check_predictions(void)
{
    const char *text = program_file("runs/vae/predictions.csv");
    ck_assert_uint_eq(count_lines(text), 1798);
    ck_assert_int_eq(strncmp(text, "row,part,target,loss,reconstruction,kl\n", 39), 0);
    lg_dataset *data = digits();
    double sum = 0;
    size_t validation = 0;
    for (size_t i = 0; i < 1797; i++) {
        char line[256];
        text = strchr(text, '\n') + 1;
        snprintf(line, sizeof line, "%.*s", (int)strcspn(text, "\n"), text); /* sscanf measures all of its text first */
        size_t row;
        int target;
        char part[16];
        double loss, reconstruction, kl;
        ck_assert_int_eq(sscanf(line, "%zu,%15[a-z],%d,%lf,%lf,%lf", &row, part, &target, &loss, &reconstruction, &kl), 6);
        ck_assert_uint_eq(row, i);
        ck_assert_int_eq(target, lg_dataset_indices(data, "y")[i]);
        ck_assert_double_eq_tol(loss, reconstruction + kl, 1e-6);
        ck_assert(reconstruction > 0 && kl > 0);
        if (strcmp(part, "validation") == 0) {
            sum += loss;
            validation++;
        } else
            ck_assert_str_eq(part, "train");
    }
    ck_assert_uint_eq(validation, 359);
    ck_assert_double_eq_tol(sum / 359, fact("runs/vae/run.json", "metrics.validation.loss"), 1e-4);
    lg_dataset_free(data);
}

/* Which rows of the data are validation, in order. */
static size_t validation_rows(size_t *ids)
{
    const char *text = program_file("runs/vae/predictions.csv");
    size_t count = 0;
    for (size_t i = 0; (text = strchr(text, '\n')) != NULL && *++text; i++)
        if (strstr(text, ",validation,") && strstr(text, ",validation,") < strchr(text, '\n'))
            ids[count++] = i;
    return count;
}

/* Upper rows of the bands are the very pixels of the data; lower rows are near them, as near as the loss says. */
static void check_reconstructions(void)
{
    grey_picture picture = read_png("runs/vae/reconstructions.png");
    ck_assert_uint_eq(picture.width, WIDTH);
    ck_assert_uint_eq(picture.height, 2 + 6 * STEP + 2 * 10);
    lg_dataset *data = digits();
    size_t ids[1797];
    ck_assert_uint_eq(validation_rows(ids), 359);
    double error = 0, spread = 0;
    for (size_t k = 0; k < 36; k++) {
        const lg_real *x = lg_dataset_values(data, "x") + ids[k * 359 / 36] * 64;
        const size_t top = 2 + k / 12 * (2 * STEP + 10);
        for (size_t i = 0; i < 64; i++) {
            const double ink = (double)x[i] / 16, drawn = cell_pixel(&picture, top, k % 12, i) / 255.0;
            const double made = 1 - cell_pixel(&picture, top + STEP, k % 12, i) / 255.0;
            ck_assert_double_eq_tol(drawn, 1 - ink, 0.5 / 255 + 1e-9);
            error += (made - ink) * (made - ink);
            spread += (ink - 0.3053) * (ink - 0.3053); /* 0.3053: mean of all pixels, by NumPy */
        }
    }
    ck_assert_double_lt(error, spread / 3);
    lg_dataset_free(data);
    free(picture.pixels);
}

/* Samples are not all alike; a walk begins and ends differently, and its steps are small. */
static void check_samples_and_walk(void)
{
    grey_picture samples = read_png("runs/vae/samples.png"), walk = read_png("runs/vae/walk.png");
    ck_assert_uint_eq(samples.width, WIDTH);
    ck_assert_uint_eq(walk.height, 2 + 6 * STEP);
    double between_samples = 0, across = 0, step = 0;
    for (size_t row = 0; row < 6; row++)
        for (size_t i = 0; i < 64; i++) {
            const size_t top = 2 + row * STEP;
            for (size_t c = 0; c < 11; c++) {
                between_samples +=
                    abs(cell_pixel(&samples, top, c, i) - cell_pixel(&samples, top, c + 1, i)) / (6.0 * 64 * 11);
                step += abs(cell_pixel(&walk, top, c, i) - cell_pixel(&walk, top, c + 1, i)) / (6.0 * 64 * 11);
            }
            across += abs(cell_pixel(&walk, top, 0, i) - cell_pixel(&walk, top, 11, i)) / (6.0 * 64);
        }
    ck_assert_double_gt(between_samples, 20);
    ck_assert_double_gt(across, 20);
    ck_assert_double_lt(step, across / 4);
    free(samples.pixels);
    free(walk.pixels);
}

/* codes.npy: what is known of a digit from its code. Its nearest neighbour, by NumPy on a run of the PyTorch autoencoder
 * too (0.953 of the first 300), is of its class much more often than one in ten times. */
static void check_codes(void)
{
    lg_tensor *codes = lg_npy_read(program_path("runs/vae/codes.npy"), LG_REAL);
    ck_assert_msg(codes != NULL, "%s", lg_error());
    ck_assert_uint_eq(lg_tensor_dim(codes, 0), 1797);
    ck_assert_uint_eq(lg_tensor_dim(codes, 1), 8);
    lg_dataset *data = digits();
    const lg_real *z = lg_tensor_data(codes);
    const int32_t *label = lg_dataset_indices(data, "y");
    size_t right = 0, tried = 0;
    for (size_t i = 0; i < 300; i += test_stride(30), tried++) {
        size_t nearest = 0;
        double least = 1e30;
        for (size_t j = 0; j < 1797; j++) {
            double distance = 0;
            for (size_t k = 0; k < 8; k++)
                distance += (double)((z[8 * i + k] - z[8 * j + k]) * (z[8 * i + k] - z[8 * j + k]));
            if (j != i && distance < least)
                least = distance, nearest = j;
        }
        right += label[nearest] == label[i];
    }
    ck_assert_uint_gt(10 * right, 8 * tried - 1);
    lg_tensor_free(codes);
    lg_dataset_free(data);
}

START_TEST(the_digits_are_learned_as_pytorch_learns_them)
{
    ck_assert_msg(program_run("$bin/vae") == 0, "%s", program_file("err"));
    ck_assert_str_eq(program_file("err"), "");
    for (const char *c = program_file("out"); *c; c++)
        ck_assert(*c == '\n' || isprint((unsigned char)*c));
    ck_assert_ptr_nonnull(strstr(program_file("out"), "val_reconstruction: "));
    ck_assert_ptr_nonnull(strstr(program_file("out"), "runs/vae: run.json history.csv history.jsonl loss.svg "
                                                      "codes.npy predictions.csv model.safetensors reconstructions.png samples.png walk.png\n"));
    check_losses();
    check_predictions();
    check_codes();
    check_reconstructions();
    check_samples_and_walk();
}
END_TEST

/* ---- what its options do --------------------------------------------------------------------------------------------- */

START_TEST(beta_rises_in_training_and_is_full_in_validation)
{
    ck_assert_int_eq(program_run("$bin/vae --epochs 4 --beta 2 --beta-warmup 3 --hidden 32,16 --latent 3 --out warm"), 0);
    lg_history *history = history_of("warm/history.csv");
    for (size_t e = 0; e < 4; e++) {
        const double beta = value(history, e, "beta");
        ck_assert_double_eq_tol(beta, e < 3 ? 2 * (double)(e + 1) / 3 : 2, 1e-9);
        ck_assert_double_eq_tol(value(history, e, "loss"),
                                value(history, e, "reconstruction") + beta * value(history, e, "kl"),
                                1e-4);
        ck_assert_double_eq_tol(
            value(history, e, "val_loss"),
            value(history, e, "val_reconstruction") + 2 * value(history, e, "val_kl"), 1e-4);
    }
    lg_history_free(history);
    ck_assert_double_eq(fact("warm/run.json", "arguments.beta_warmup"), 3);
    ck_assert_ptr_nonnull(strstr(program_file("out"), "of 3 (KL above"));
}
END_TEST

START_TEST(a_seed_gives_the_same_run_again)
{
    ck_assert_int_eq(program_run(SHORT "--out a && " SHORT "--out b && " SHORT "--seed 1 --out c"), 0);
    ck_assert_int_eq(program_run("cmp a/predictions.csv b/predictions.csv && cmp a/samples.png b/samples.png"), 0);
    ck_assert_int_ne(program_run("cmp a/predictions.csv c/predictions.csv"), 0);
}
END_TEST

/* The digits as pictures of bytes, 0 .. 16 times `factor`, with labels of their own. */
static void write_idx(size_t rows, int factor)
{
    lg_dataset *data = digits();
    FILE *pictures = fopen(program_path("pictures.idx"), "wb"), *labels = fopen(program_path("labels.idx"), "wb");
    const unsigned char head[] = { 0, 0, 8, 3, 0, 0, (unsigned char)(rows >> 8), (unsigned char)rows, 0, 0, 0, 8, 0, 0, 0, 8 };
    fwrite(head, 1, sizeof head, pictures);
    fwrite("\0\0\x08\1", 1, 4, labels);
    fwrite(head + 4, 1, 4, labels);
    for (size_t i = 0; i < rows; i++) {
        for (size_t k = 0; k < 64; k++)
            putc(factor * (int)lg_dataset_values(data, "x")[64 * i + k], pictures);
        putc((int)lg_dataset_indices(data, "y")[i], labels);
    }
    fclose(pictures);
    fclose(labels);
    lg_dataset_free(data);
}

static unsigned char darkest_original(void)
{
    grey_picture picture = read_png("runs/vae/reconstructions.png");
    ck_assert_uint_eq(picture.width, WIDTH);
    unsigned char darkest = 255;
    for (size_t i = 0; i < 12 * 64; i++) {
        const unsigned char pixel = cell_pixel(&picture, 2, i / 64, i % 64);
        darkest = pixel < darkest ? pixel : darkest;
    }
    free(picture.pixels);
    return darkest;
}

START_TEST(pictures_of_bytes_are_taken_as_they_are_unless_they_are_faint)
{
    write_idx(300, 15);
    ck_assert_int_eq(program_run("gzip pictures.idx && " SHORT "--data pictures.idx.gz --labels labels.idx"), 0);
    ck_assert_double_eq(fact("runs/vae/run.json", "data.features"), 64);
    ck_assert_ptr_nonnull(strstr(program_file("runs/vae/run.json"), "\"9\""));
    ck_assert_uint_eq(darkest_original(), 15); /* 255 - 240, not stretched to 0 */
    write_idx(300, 1);
    ck_assert_int_eq(program_run("rm -r runs && " SHORT "--data pictures.idx"), 0);
    ck_assert_uint_eq(darkest_original(), 0);
}
END_TEST

START_TEST(a_table_is_drawn_in_its_shape_or_not_at_all)
{
    char text[8192] = "";
    size_t used = 0;
    for (int i = 0; i < 60; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%d,%d,%d,%d,%d,%d\n", i % 7, 9 - i % 7, 4, -3, i % 5,
                                 100 * (i % 2));
    program_write("six.csv", text);
    ck_assert_int_eq(program_run(SHORT "--data six.csv --out flat"), 0);
    ck_assert(!program_has("flat/samples.png"));
    ck_assert_ptr_nonnull(strstr(program_file("out"), "No pictures: 6 values are no square; --shape"));
    ck_assert_int_eq(program_run(SHORT "--data six.csv --shape 2,3 --validation-split 0 --test-split 0.3 --out shaped"), 0);
    grey_picture picture = read_png("shaped/samples.png");
    ck_assert_uint_eq(picture.width, 2 + 12 * (3 * 16 + 2)); /* pixels are 16 wide at most */
    ck_assert_uint_eq(picture.height, 2 + 6 * (2 * 16 + 2));
    free(picture.pixels);
    ck_assert_ptr_nonnull(strstr(program_file("shaped/predictions.csv"), ",test,,"));
    ck_assert(fact("shaped/run.json", "metrics.test.loss") > 0);
}
END_TEST

/* Rows of the training's own kind are not told from it; noise and pictures of another kind are. */
START_TEST(strangers_score_higher_than_digits)
{
    lg_rng rng = lg_rng_seed(3);
    size_t used = 0;
    char *text = malloc(1 << 16);
    for (int i = 0; i < 40; i++)
        for (int k = 0; k < 64; k++)
            used += (size_t)sprintf(text + used, "%d%c", (int)lg_rng_below(&rng, 17), k < 63 ? ',' : '\n');
    program_write("noise.csv", text);
    free(text);
    ck_assert_int_eq(program_run("$bin/vae --epochs 8 --score noise.csv --out noise"), 0);
    const char *scores = program_file("noise/scores.csv");
    ck_assert_int_eq(strncmp(scores, "row,negative_elbo,reconstruction,kl,excess\n", 43), 0);
    ck_assert_uint_eq(count_lines(scores), 41);
    ck_assert_double_gt(fact("noise/run.json", "scored.negative_elbo.roc_auc"), 0.999);
    ck_assert_double_eq(fact("noise/run.json", "scored.negative_elbo.above"), 40);
    ck_assert_double_gt(fact("noise/run.json", "scored.excess.roc_auc"), 0.999);

    /* With their labels or without, digits are the same rows. */
    ck_assert_int_eq(program_run("zcat $source/data/digits.csv.gz | head -n 200 > with.csv && "
                                 "cut -d, -f1-64 with.csv > without.csv"), 0);
    ck_assert_int_eq(program_run("$bin/vae --epochs 8 --score with.csv --out with && "
                                 "$bin/vae --epochs 8 --score without.csv --out without"), 0);
    ck_assert_int_eq(program_run("cmp with/scores.csv without/scores.csv"), 0);
    ck_assert_double_eq_tol(fact("with/run.json", "scored.excess.roc_auc"), 0.5, 0.1);
    ck_assert_double_lt(fact("with/run.json", "scored.excess.above"), 10);

    /* scores are what predictions.csv says of the same rows: row 0 is first in both (noise of the codes apart) */
    double score, loss;
    ck_assert_int_eq(sscanf(strchr(program_file("with/scores.csv"), '\n'), "\n0,%lf,", &score), 1);
    ck_assert_int_eq(sscanf(strchr(program_file("with/predictions.csv"), '\n'), "\n0,%*[a-z],0,%lf,", &loss), 1);
    ck_assert_double_eq_tol(score, loss, 2);
}
END_TEST

/* ---- a model that is there ------------------------------------------------------------------------------------------- */

/* table.csv: 60 rows a,b,c,d,e,f; moved.csv: the same in another order, with a column more. */
static void write_table(void)
{
    program_ok("awk 'BEGIN {print \"a,b,c,d,e,f\"; for (i = 0; i < 60; i++) print i % 7 \",\" 9 - i % 7 \",\" i % 3 \",\" "
               "(i * i) % 11 \",\" i % 5 \",\" 100 * (i % 2)}' >table.csv && "
               "awk -F, '{print $4 \",\" $1 \",n\" NR \",\" $6 \",\" $2 \",\" $3 \",\" $5}' table.csv >moved.csv");
}

#define TABLE "$bin/vae --data table.csv --latent 2 --hidden 12,8 --epochs 20 --batch-size 16 --shape 2,3 --out r"

/* Bit for bit, though the codes are drawn: the same ones for the same places in a file. */
START_TEST(rows_are_scored_by_a_model_as_its_training_run_did)
{
    write_table();
    program_ok(TABLE " && $bin/vae --load r --predict table.csv --out p && cut -d, -f1,5,6 r/predictions.csv >a && "
               "cut -d, -f1,3,4 p/predictions.csv | cmp - a");
    program_ok("$bin/vae --load r --predict moved.csv --out - | cmp - p/predictions.csv && "
               "$bin/vae --load r/model.safetensors --score moved.csv --out - | cmp - p/predictions.csv");
    const char *line = program_file("p/predictions.csv");
    ck_assert_int_eq(strncmp(line, "row,negative_elbo,reconstruction,kl,excess\n", 43), 0);
    ck_assert_uint_eq(count_lines(line), 61);
    for (size_t i = 0; i < 60; i++) {
        double elbo, reconstruction, kl, excess;
        line = strchr(line, '\n') + 1;
        ck_assert_int_eq(sscanf(line, "%*d,%lf,%lf,%lf,%lf", &elbo, &reconstruction, &kl, &excess), 4);
        ck_assert_double_eq_tol(elbo, reconstruction + kl, 1e-5);
        ck_assert(kl > 0 && excess < elbo);
    }
    ck_assert_double_lt(fact("p/run.json", "scored.excess.above"), 7); /* of 60 rows, 12 of which made the limit */
    program_ok("awk -F, 'NR > 1 {print \"100,-9,100,100,100,0\"}' table.csv >far.csv && "
               "$bin/vae --load r --predict far.csv --out far");
    ck_assert_double_eq(fact("far/run.json", "scored.negative_elbo.above"), 60);
    program_ok("$bin/vae --load r --data table.csv --epochs 1 --score far.csv --out s"); /* and beside a training run */
    ck_assert_double_gt(fact("s/run.json", "scored.excess.roc_auc"), 0.99);
}
END_TEST

/* out[wide] = w in + b, and with `relu` what of it is above 0; from the tensors of a layer in the file. */
static void apply_layer(const lg_safetensors *file, int number, const double *in, double *out, bool relu)
{
    char name[32];
    snprintf(name, sizeof name, "dense_%d.weight", number);
    lg_tensor *weight = lg_safetensors_tensor(file, name);
    snprintf(name, sizeof name, "dense_%d.bias", number);
    lg_tensor *bias = lg_safetensors_tensor(file, name);
    ck_assert_msg(weight && bias, "%s", lg_error());
    const size_t wide = lg_tensor_dim(weight, 0), inputs = lg_tensor_dim(weight, 1);
    for (size_t i = 0; i < wide; i++) {
        out[i] = (double)lg_tensor_data(bias)[i];
        for (size_t k = 0; k < inputs; k++)
            out[i] += (double)lg_tensor_data(weight)[i * inputs + k] * in[k];
        out[i] = relu && out[i] < 0 ? 0 : out[i];
    }
    lg_tensor_free(weight);
    lg_tensor_free(bias);
}

/* Codes, KL and entropy by their formulas, of the numbers in the file alone: x in [0, 1] by its scale, 6-12-8-(2, 2). */
START_TEST(the_model_in_its_file_makes_codes_and_scores)
{
    write_table();
    program_ok(TABLE " && $bin/vae --load r --predict table.csv --out p");
    lg_safetensors *file = lg_safetensors_open(program_path("r/model.safetensors"));
    ck_assert_str_eq(lg_safetensors_metadata(file, "layers"), "6,12,8,2");
    ck_assert_str_eq(lg_safetensors_metadata(file, "features"), "[\"a\",\"b\",\"c\",\"d\",\"e\",\"f\"]");
    ck_assert_str_eq(lg_safetensors_metadata(file, "width"), "3");
    double low[6], range[6];
    ck_assert_int_eq(lg_safetensors_read_doubles(file, lg_safetensors_find(file, "input.means"), low), LG_OK);
    ck_assert_int_eq(lg_safetensors_read_doubles(file, lg_safetensors_find(file, "input.deviations"), range), LG_OK);
    lg_dataset *rows = lg_dataset_read_csv(program_path("table.csv"), NULL);
    lg_tensor *codes = lg_npy_read(program_path("r/codes.npy"), LG_REAL);
    const char *line = program_file("p/predictions.csv");
    for (size_t i = 0; i < 60; i++) {
        double x[6], first[12], second[8], code[4], kl = 0, entropy = 0, written[4];
        for (size_t k = 0; k < 6; k++) {
            x[k] = fmin(1, fmax(0, ((double)lg_dataset_values(rows, "x")[6 * i + k] - low[k]) / range[k]));
            if (x[k] > 0 && x[k] < 1)
                entropy -= x[k] * log(x[k]) + (1 - x[k]) * log(1 - x[k]);
        }
        apply_layer(file, 1, x, first, true);
        apply_layer(file, 2, first, second, true);
        apply_layer(file, 3, second, code, false);
        for (size_t k = 0; k < 2; k++) {
            ck_assert_double_eq_tol((double)lg_tensor_data(codes)[2 * i + k], code[k], 1e-5);
            kl += (code[k] * code[k] + exp(code[2 + k]) - 1 - code[2 + k]) / 2;
        }
        line = strchr(line, '\n') + 1;
        ck_assert_int_eq(sscanf(line, "%*d,%lf,%lf,%lf,%lf", &written[0], &written[1], &written[2], &written[3]), 4);
        ck_assert_double_eq_tol(written[2], kl, 1e-5 * (1 + kl));
        ck_assert_double_eq_tol(written[3], written[0] - entropy, 1e-5 * (1 + entropy));
    }
    lg_tensor_free(codes);
    lg_dataset_free(rows);
    lg_safetensors_close(file);
}
END_TEST

/* Pictures keep their shape, and so does what has none in it, and beta. With a rate that moves nothing all stays. */
START_TEST(training_goes_on_from_a_model)
{
    write_idx(200, 15);
    write_table();
    program_ok(SHORT "--data pictures.idx --beta 0.5 --out p && $bin/vae --load p --data pictures.idx --lr 1e-30 --epochs 1 "
               "--out still && cmp p/predictions.csv still/predictions.csv && cmp p/samples.png still/samples.png && "
               "cmp p/codes.npy still/codes.npy");
    ck_assert_double_eq(fact("still/run.json", "arguments.beta"), 0.5);
    lg_history *first = history_of("p/history.csv");
    program_ok("$bin/vae --load p --data pictures.idx --epochs 2 --beta 0.5 --out on");
    lg_history *next = history_of("on/history.csv");
    ck_assert_double_lt(value(next, 0, "loss"), 0.9 * value(first, 0, "loss"));
    lg_history_free(first);
    lg_history_free(next);
    program_ok(TABLE " --epochs 1");
    program_refused(1, "is a model of 6 features, but the data have 64", "$bin/vae --load r --out refused");
}
END_TEST

START_TEST(models_and_rows_that_do_not_fit_are_refused)
{
    const lg_real wide[14] = { 0 };
    write_table();
    ck_assert_int_eq(lg_npy_write_array(program_path("wide.npy"), LG_REAL, 2, (size_t[]){ 2, 7 }, wide), LG_OK);
    program_ok(TABLE " && cut -d, -f2- table.csv >no-a.csv && head -c 900 r/model.safetensors >cut && "
               "sed 's/6,12,8,2/6,12,9,2/' r/model.safetensors >sizes; sed 's/\"beta\":\"1/\"beta\":\"x/' r/model.safetensors >beta; "
               "sed 's/\"height\":\"2/\"height\":\"4/' r/model.safetensors >height; head -c 999 /dev/urandom >garbage; "
               "$bin/fraud --data table.csv --target f --epochs 1 --out other; "
               "sed 's/\\(\"limit.excess\":\"\\)./\\1x/' r/model.safetensors >limit");
#define PREDICT "$bin/vae --out refused --load "
    program_refused(1, "no-a.csv: the feature \"a\" is missing", PREDICT "r --predict no-a.csv");
    program_refused(1, "no-a.csv: the feature \"a\" is missing", PREDICT "r --data no-a.csv");
    program_refused(1, "wide.npy: rows are 7", PREDICT "r --predict wide.npy");
    program_refused(1, "cut: is cut", PREDICT "cut --predict table.csv");
    program_refused(1, "garbage: ", PREDICT "garbage --data table.csv");
    program_refused(1, "has no layer \"dense_2\" from 12 to 9", PREDICT "sizes --predict table.csv");
    program_refused(1, "beta: is no whole model: its text \"beta\"", PREDICT "beta --predict table.csv");
    program_refused(1, "height: is no whole model", PREDICT "height --predict table.csv");
    program_refused(1, "limit: is no whole model: its text \"limit.excess\"", PREDICT "limit --predict table.csv");
    program_refused(1, "another kind: \"fraud detector\", not \"variational autoencoder\"", PREDICT "other --predict table.csv");
    program_refused(2, "no --latent", PREDICT "r --data table.csv --latent 3");
    program_refused(2, "no --epochs", PREDICT "r --score table.csv --epochs 3");
    program_refused(2, "only one of them", PREDICT "r --score table.csv --predict table.csv");
    program_refused(2, "--predict needs --load", "$bin/vae --predict table.csv");
}
END_TEST

/* ---- how it fails ---------------------------------------------------------------------------------------------------- */

static const struct {
    const char *arguments, *said;
} usage_errors[] = {
    { "--latent 0", "--latent: \"0\" is not a whole number from 1 to 65536" },
    { "--hidden 3,x", "--hidden: \"3,x\" is not a list of 1 to 8 whole numbers" },
    { "--beta -1", "--beta: \"-1\" is not a number of at least 0" },
    { "--beta-warmup x", "--beta-warmup: \"x\" is not a whole number" },
    { "--samples 0", "--samples: \"0\" is not a whole number from 1" },
    { "--shape 8", "--shape: two numbers are wanted, height and width, as in 28,28" },
    { "--target 3", "--target needs --data" },
    { "--textbook", "--textbook needs --data: pictures of 28 x 28" },
    { "--loss mse", "unrecognized option '--loss'" },
};

START_TEST(usage_errors_exit_2_and_say_what_is_allowed)
{
    ck_assert_int_eq(program_run("$bin/vae %s", usage_errors[_i].arguments), 2);
    ck_assert_str_eq(program_file("out"), "");
    ck_assert_msg(strncmp(program_file("err"), "vae: ", 5) == 0 && strstr(program_file("err"), usage_errors[_i].said),
                  "%s", program_file("err"));
    ck_assert(!program_has("runs"));
}
END_TEST

static const struct {
    const char *arguments, *said;
} failures[] = {
    { "--shape 7,9", "vae: --shape: 7 x 9 are 63 pixels, but a row has 64 values\n" },
    { "--data none.csv", "vae: none.csv: cannot be opened: No such file or directory\n" },
    { "--data empty", "vae: empty: is empty\n" },
    { "--data text.csv", "vae: text.csv:3: column \"b\": \"x\" is not a number\n" },
    { "--data cut.idx",
      "vae: cut.idx: 2 x 8 x 8 ubyte after a header of 16 bytes make 144 bytes, but the file has 16\n" },
    { "--data one.csv", "vae: split: 1 rows do not fill training, validation 0.2 and test 0\n" },
    { "--data same.csv", "vae: same.csv: every value of the training part is 1; there is nothing to learn\n" },
    { "--data wide.csv --textbook",
      "vae: --textbook: the network is for pictures of 28 x 28, 784 values; a row of wide.csv has 4\n" },
    { "--score none.csv", "vae: none.csv: cannot be opened: No such file or directory\n" },
    { "--score wide.csv", "vae: wide.csv: has no header, and columns for 4 features where there should be 64\n" },
};

START_TEST(what_does_not_work_is_told_in_one_line)
{
    program_write("empty", "");
    program_write("text.csv", "a,b\n1,2\n1,x\n");
    program_write("one.csv", "1,2,3,4\n");
    program_write("same.csv", "1,1\n1,1\n1,1\n1,1\n");
    program_write("wide.csv", "1,2,3,4\n5,6,7,9\n5,6,7,8\n");
    ck_assert_int_eq(program_run("printf '\\0\\0\\10\\3\\0\\0\\0\\2\\0\\0\\0\\10\\0\\0\\0\\10' > cut.idx"), 0);
    ck_assert_int_eq(program_run("$bin/vae %s", failures[_i].arguments), 1);
    ck_assert_str_eq(program_file("err"), failures[_i].said);
    ck_assert(!program_has("runs"));
}
END_TEST

/* Two rows, one of them for validation, are enough for a run; so is a network of the textbook's sizes for 28 x 28. */
START_TEST(the_smallest_data_and_the_textbook_run)
{
    program_write("two.csv", "1,2,3,4\n5,6,7,8\n");
    ck_assert_msg(program_run(SHORT "--data two.csv --out two") == 0, "%s", program_file("err"));
    ck_assert_uint_eq(count_lines(program_file("two/predictions.csv")), 3);
    ck_assert(program_has("two/walk.png"));
    static lg_real pixels[10 * 784];
    lg_rng rng = lg_rng_seed(1);
    lg_rng_fill_uniform(&rng, COUNT(pixels), pixels, 0, 1);
    ck_assert_int_eq(lg_npy_write_array(program_path("p.npy"), LG_REAL, 3, (size_t[]){ 10, 28, 28 }, pixels), LG_OK);
    ck_assert_msg(program_run("$bin/vae --data p.npy --textbook --epochs 1 --out book") == 0, "%s", program_file("err"));
    ck_assert_double_eq(fact("book/run.json", "arguments.latent"), 32);
    ck_assert_double_eq(fact("book/run.json", "arguments.batch_size"), 128);
    ck_assert_ptr_nonnull(strstr(program_file("out"), "[batch, 400]"));
    ck_assert_ptr_nonnull(strstr(program_file("out"), "Total params: 327,584")); /* 32 x 400 + 400 + 400 x 784 + 784 */
    grey_picture picture = read_png("book/samples.png");
    ck_assert_uint_eq(picture.width, 2 + 12 * (2 * 28 + 2));
    free(picture.pixels);
}
END_TEST

Suite *vae_suite(void)
{
    Suite *suite = suite_create("vae");
    TCase *learning = tcase_create("learning"), *options = tcase_create("options"), *failing = tcase_create("failing");
    tcase_set_timeout(learning, 60);
    tcase_set_timeout(options, 60);
    tcase_add_checked_fixture(learning, program_setup, program_teardown);
    tcase_add_checked_fixture(options, program_setup, program_teardown);
    tcase_add_checked_fixture(failing, program_setup, program_teardown);
    tcase_add_test(learning, the_digits_are_learned_as_pytorch_learns_them);
    tcase_add_test(options, beta_rises_in_training_and_is_full_in_validation);
    tcase_add_test(options, a_seed_gives_the_same_run_again);
    tcase_add_test(options, pictures_of_bytes_are_taken_as_they_are_unless_they_are_faint);
    tcase_add_test(options, a_table_is_drawn_in_its_shape_or_not_at_all);
    tcase_add_test(options, strangers_score_higher_than_digits);
    tcase_add_test(options, the_smallest_data_and_the_textbook_run);
    tcase_add_test(options, rows_are_scored_by_a_model_as_its_training_run_did);
    tcase_add_test(options, the_model_in_its_file_makes_codes_and_scores);
    tcase_add_test(options, training_goes_on_from_a_model);
    tcase_add_test(options, models_and_rows_that_do_not_fit_are_refused);
    tcase_add_loop_test(failing, usage_errors_exit_2_and_say_what_is_allowed, 0, COUNT(usage_errors));
    tcase_add_loop_test(failing, what_does_not_work_is_told_in_one_line, 0, COUNT(failures));
    suite_add_tcase(suite, learning);
    suite_add_tcase(suite, options);
    suite_add_tcase(suite, failing);
    return suite;
}
