/* The line reader as a program: what it learns to read, what it leaves, how it fails. It is run as a user runs it. */
#include "program.h"

#include <check.h>
#include <ctype.h>
#include <luge.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* ------------------------------------------------------ lines of one's own
 * Six characters of 3 x 6 pixels, each with an empty column behind; the blank is nothing but paper. One is a quote and one
 * is of two bytes, for predictions.csv. */
enum { LINES = 240, HEIGHT = 6, WIDTH = 48, ADVANCE = 4 };

static const struct glyph {
    const char *character;
    const char *columns[3]; /* from the top */
} glyphs[] = {
    { "a", { "######", "#....#", "######" } }, { "b", { "######", "...###", "...###" } },
    { "\"", { "##....", "......", "##...." } }, { "\xC3\xA9", { ".#####", "#.#.#.", ".#.##." } },
    { ",", { "......", "....##", "......" } }, { " ", { "......", "......", "......" } },
};

static lg_real ink[LINES][HEIGHT][WIDTH];

/* Writes lines.txt and fills `ink`: 4 to 9 characters a line, no blank at its ends, twice in a row or after another. */
static void compose(void)
{
    static char texts[LINES * 32];
    char *text = texts;
    lg_rng rng = lg_rng_seed(3);
    memset(ink, 0, sizeof ink);
    for (size_t i = 0; i < LINES; i++) {
        const size_t length = 4 + lg_rng_below(&rng, 6);
        size_t column = 1 + lg_rng_below(&rng, 3), last = COUNT(glyphs) - 1;
        for (size_t k = 0; k < length; k++) {
            const bool no_blank = k == 0 || k + 1 == length || last == COUNT(glyphs) - 1;
            const size_t g = lg_rng_below(&rng, COUNT(glyphs) - no_blank);
            text = stpcpy(text, glyphs[g].character);
            for (size_t x = 0; x < 3; x++)
                for (size_t y = 0; y < HEIGHT; y++)
                    ink[i][y][column + x] = glyphs[g].columns[x][y] == '#';
            column += g == COUNT(glyphs) - 1 ? ADVANCE + 1 : ADVANCE;
            last = g;
        }
        text = stpcpy(text, "\n");
    }
    program_write("lines.txt", texts);
    ck_assert_int_eq(lg_npy_write_array(program_path("lines.npy"), LG_REAL, 3, (size_t[]){ LINES, HEIGHT, WIDTH }, ink),
                     LG_OK);
}

static void setup(void)
{
    program_setup();
    compose();
}

#define OWN "$bin/ctc --data lines.npy --labels lines.txt --hidden 32 --window 7 --lr 0.02 --batch-size 4 --epochs 16 "

/* The line of a file, without its end; valid until the next call. */
static const char *line_of(const char *file, size_t number)
{
    static char line[512];
    const char *text = program_file(file);
    for (size_t i = 0; i < number; i++)
        text = strchr(text, '\n') + 1;
    snprintf(line, sizeof line, "%.*s", (int)strcspn(text, "\n"), text);
    return line;
}

/* ---------------------------------------------------------------- learning */

/* An edit distance of the test's own, of characters in UTF-8. */
static size_t distance(const char *a, const char *b)
{
    size_t row[128], m = 0;
    for (size_t j = 0; j <= strlen(b); j++)
        row[j] = 0;
    for (const char *s = b; *s; s++)
        if (((unsigned char)*s & 0xC0) != 0x80)
            row[m + 1] = m + 1, m++;
    size_t i = 0;
    for (const char *s = a; *s;) {
        size_t width = 1, corner = row[0], j = 0;
        while (((unsigned char)s[width] & 0xC0) == 0x80)
            width++;
        row[0] = ++i;
        for (const char *t = b; *t;) {
            size_t other = 1;
            while (((unsigned char)t[other] & 0xC0) == 0x80)
                other++;
            const bool same = width == other && memcmp(s, t, width) == 0;
            const size_t above = row[++j];
            size_t best = corner + !same;
            best = above + 1 < best ? above + 1 : best;
            row[j] = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
            corner = above;
            t += other;
        }
        s += width;
    }
    return row[m];
}

/* A cell in quotes, which `*text` is moved past. */
static void take_cell(const char **text, char *cell)
{
    ck_assert_int_eq(**text, '"');
    for (++*text; **text != '"' || (*text)[1] == '"'; ++*text) {
        *text += **text == '"';
        *cell++ = **text;
    }
    *cell = '\0';
    *text += 2; /* the comma too */
}

/* What predictions.csv says of each line is its text, and its errors add up to those of run.json. */
START_TEST(lines_of_files_are_read_to_the_last_character)
{
    ck_assert_msg(program_run(OWN "--out r") == 0, "%s", program_file("err"));
    ck_assert_double_le(program_fact("r/run.json", "metrics.test.greedy.cer"), 0.01);
    ck_assert_double_le(program_fact("r/run.json", "metrics.test.beam.cer"), 0.01);
    ck_assert_double_ge(program_fact("r/run.json", "metrics.train.greedy.exact"), 0.95);
    ck_assert_double_eq(program_fact("r/run.json", "data.rows"), LINES);
    ck_assert_double_eq(program_fact("r/run.json", "data.parts.test"), 36);
    ck_assert_str_eq(line_of("r/predictions.csv", 0), "row,part,target,greedy,beam,loss");
    ck_assert_uint_eq(count_lines(program_file("r/predictions.csv")), LINES + 1);
    size_t errors = 0, exact = 0, rows = 0;
    for (size_t i = 0; i < LINES; i++) {
        char target[128], greedy[128], beam[128];
        const char *row = line_of("r/predictions.csv", 1 + i);
        const bool test = strstr(row, ",test,") != NULL;
        ck_assert_uint_eq(strtoul(row, NULL, 10), i);
        row = strchr(row, '"');
        take_cell(&row, target);
        take_cell(&row, greedy);
        take_cell(&row, beam);
        ck_assert_double_ge(atof(row), 0);
        ck_assert_str_eq(target, line_of("lines.txt", i));
        rows += test;
        exact += test && strcmp(target, greedy) == 0;
        errors += test ? distance(target, greedy) : 0;
    }
    ck_assert_uint_eq(rows, 36);
    ck_assert_double_eq_tol(program_fact("r/run.json", "metrics.test.greedy.exact"), (double)exact / 36, 1e-12);
    ck_assert_int_eq(errors == 0, program_fact("r/run.json", "metrics.test.greedy.cer") == 0);
}
END_TEST

/* Too short for all to be right: the numbers of run.json are those of predictions.csv. */
START_TEST(error_rates_are_those_of_the_predictions)
{
    ck_assert_int_eq(program_run("$bin/ctc --data lines.npy --labels lines.txt --hidden 16 --lr 0.02 --epochs 4 --out r"), 0);
    size_t errors = 0, length = 0;
    for (size_t i = 0; i < LINES; i++) {
        char target[128], greedy[128];
        const char *row = line_of("r/predictions.csv", 1 + i);
        if (!strstr(row, ",train,"))
            continue;
        row = strchr(row, '"');
        take_cell(&row, target);
        take_cell(&row, greedy);
        errors += distance(target, greedy);
        length += distance(target, "");
    }
    ck_assert_uint_gt(errors, 0);
    ck_assert_double_eq_tol(program_fact("r/run.json", "metrics.train.greedy.cer"), (double)errors / (double)length, 1e-12);
}
END_TEST

/* Digits that no line for training has seen. A reader that has learned nothing reads nothing: CER 1. */
START_TEST(a_short_run_begins_to_read_held_out_digits)
{
    ck_assert_msg(program_run("$bin/ctc --lines 2400 --epochs 2 --batch-size 4 --hidden 48 --beam 4 --out r") == 0, "%s",
                  program_file("err"));
    ck_assert_double_le(program_fact("r/run.json", "metrics.validation.greedy.cer"), 0.15);
    ck_assert_double_le(program_fact("r/run.json", "metrics.test.greedy.cer"), 0.15);
    ck_assert_double_ge(program_fact("r/run.json", "metrics.test.beam.exact"), 0.45);
    ck_assert_uint_eq(count_lines(program_file("r/predictions.csv")), 1001); /* the held-out lines */
    const char *out = program_file("out");
    for (const char *c = out; *c; c++)
        ck_assert_msg(*c == '\n' || isprint((unsigned char)*c), "byte %d in the output", *c);
    ck_assert_ptr_nonnull(strstr(out, "Lines of the test part"));
    ck_assert_ptr_nonnull(strstr(out, "beam of 4"));
}
END_TEST

/* ----------------------------------------------------------------- options */

static void assert_same_file(const char *a, const char *b, bool same)
{
    char *first = strdup(program_file(a));
    ck_assert_msg((strcmp(first, program_file(b)) == 0) == same, "%s and %s %s", a, b, same ? "differ" : "are the same");
    free(first);
}

START_TEST(a_seed_gives_the_same_run_again_on_any_number_of_threads)
{
#define DIGITS "$bin/ctc --lines 64 --epochs 2 --hidden 16 --beam 2 --show 0 "
    ck_assert_int_eq(program_run(DIGITS "--threads 1 --out a && " DIGITS "--threads 3 --out b && " DIGITS "--seed 2 --out c"),
                     0);
    assert_same_file("a/predictions.csv", "b/predictions.csv", true);
    assert_same_file("a/predictions.csv", "c/predictions.csv", false);
    for (const char *c = "abc"; *c; c++) /* all but the last column, seconds */
        ck_assert_int_eq(program_run("sed 's/,[^,]*$//' %c/history.csv > %c.csv", *c, *c), 0);
    assert_same_file("a.csv", "b.csv", true);
    assert_same_file("a.csv", "c.csv", false);
    ck_assert_str_eq(line_of("a.csv", 0), "epoch,loss,cer,wer,exact,val_loss,val_cer,val_wer,val_exact,learning_rate");
    ck_assert_uint_eq(count_lines(program_file("a.csv")), 3);
    ck_assert(program_has("a/history.jsonl"));
}
END_TEST

/* Black on white in bytes is the same as ink of 1 on paper of 0. */
START_TEST(paper_may_be_dark_or_bright)
{
    static unsigned char bytes[16 + LINES * HEIGHT * WIDTH] = { 0, 0, 8, 3, 0, 0, 0, LINES, 0, 0, 0, HEIGHT, 0, 0, 0, WIDTH };
    for (size_t i = 0; i < LINES * HEIGHT * WIDTH; i++)
        bytes[16 + i] = (&ink[0][0][0])[i] == 0 ? 255 : 0;
    FILE *file = fopen(program_path("lines.idx"), "wb");
    ck_assert(file && fwrite(bytes, 1, sizeof bytes, file) == sizeof bytes && fclose(file) == 0);
    ck_assert_int_eq(program_run("gzip -k lines.idx lines.txt"), 0);
    ck_assert_int_eq(program_run(OWN "--epochs 2 --out a"), 0);
    ck_assert_msg(program_run(OWN "--epochs 2 --data lines.idx.gz --labels lines.txt.gz --out b") == 0, "%s",
                  program_file("err"));
    assert_same_file("a/predictions.csv", "b/predictions.csv", true);
}
END_TEST

/* Each pixel threefold: 18 pixels high. The window grows with the height, and so does the stride. */
START_TEST(lines_of_another_height_are_read)
{
    static lg_real large[LINES][3 * HEIGHT][3 * WIDTH];
    for (size_t i = 0; i < LINES; i++)
        for (size_t y = 0; y < 3 * HEIGHT; y++)
            for (size_t x = 0; x < 3 * WIDTH; x++)
                large[i][y][x] = ink[i][y / 3][x / 3];
    ck_assert_int_eq(lg_npy_write_array(program_path("large.npy"), LG_REAL, 3,
                                        (size_t[]){ LINES, 3 * HEIGHT, 3 * WIDTH }, large), LG_OK);
    ck_assert_msg(program_run("$bin/ctc --data large.npy --labels lines.txt --hidden 24 --lr 0.01 --batch-size 4 --epochs 12 --out r") == 0,
                  "%s", program_file("err"));
    ck_assert_double_eq(program_fact("r/run.json", "arguments.window"), 25);
    ck_assert_double_eq(program_fact("r/run.json", "arguments.stride"), 2);
    ck_assert_double_le(program_fact("r/run.json", "metrics.test.greedy.cer"), 0.05);
}
END_TEST

START_TEST(one_line_is_enough_without_other_parts)
{
    ck_assert_int_eq(lg_npy_write_array(program_path("one.npy"), LG_REAL, 3, (size_t[]){ 1, HEIGHT, WIDTH }, ink), LG_OK);
    ck_assert_int_eq(program_run("head -1 lines.txt > one.txt"), 0);
    ck_assert_int_eq(program_run("$bin/ctc --data one.npy --labels one.txt --out r"), 1);
    ck_assert_uint_eq(count_lines(program_file("err")), 1);
    ck_assert_msg(program_run("$bin/ctc --data one.npy --labels one.txt --validation-split 0 --test-split 0 --epochs 1 --out s") ==
                      0, "%s", program_file("err"));
    ck_assert_uint_eq(count_lines(program_file("s/predictions.csv")), 2);
}
END_TEST

START_TEST(a_dry_run_shows_data_and_network_and_leaves_nothing)
{
    ck_assert_int_eq(program_run("$bin/ctc --dry-run"), 0);
    ck_assert_ptr_nonnull(strstr(program_file("out"), "11 columns x 8 - 96 tanh - 96 tanh - 10 characters and the blank"));
    ck_assert(!program_has("runs"));
    ck_assert_int_eq(program_run("$bin/ctc --help"), 0);
    ck_assert_ptr_nonnull(strstr(program_file("out"), "(default: 12)"));
    ck_assert_ptr_null(strstr(program_file("out"), "--target"));
}
END_TEST

/* ---------------------------------------------------- a model that is there */

#define QUICK "$bin/ctc --data lines.npy --labels lines.txt --hidden 16 --lr 0.03 --batch-size 8 --epochs 5 --show 0 "

/* The same texts, though nobody says what the lines are; and the score is what the loss was where that text was right. */
START_TEST(lines_without_texts_are_read_as_in_training)
{
    program_ok(QUICK "--out r && $bin/ctc --load r --predict lines.npy --out p");
    ck_assert_str_eq(line_of("p/predictions.csv", 0), "row,greedy,beam,score");
    ck_assert_uint_eq(count_lines(program_file("p/predictions.csv")), LINES + 1);
    size_t right = 0;
    for (size_t i = 0; i < LINES; i++) {
        char target[128], greedy[128], beam[128], greedy_again[128], beam_again[128];
        const char *row = strchr(line_of("r/predictions.csv", 1 + i), '"');
        take_cell(&row, target);
        take_cell(&row, greedy);
        take_cell(&row, beam);
        const double loss = atof(row);
        const char *again = line_of("p/predictions.csv", 1 + i);
        ck_assert_uint_eq(strtoul(again, NULL, 10), i);
        again = strchr(again, '"');
        take_cell(&again, greedy_again);
        take_cell(&again, beam_again);
        ck_assert_str_eq(greedy, greedy_again);
        ck_assert_str_eq(beam, beam_again);
        if (strcmp(beam, target) == 0) { /* a beam of 25 misses some of the probability */
            ck_assert_double_le(atof(again), -loss + 1e-4 * (1 + loss));
            ck_assert_double_ge(atof(again), -loss - 0.2 * (1 + loss));
            right++;
        }
    }
    ck_assert_uint_gt(right, LINES / 4);
    ck_assert_double_eq(program_fact("p/run.json", "data.rows"), LINES);
    ck_assert_ptr_nonnull(strstr(program_file("out"), "log probability"));
    program_ok("gzip -k lines.npy && $bin/ctc --load r/model.safetensors --predict lines.npy.gz --out - | cmp - p/predictions.csv");

    /* an array of one picture is a line */
    ck_assert_int_eq(lg_npy_write_array(program_path("one.npy"), LG_REAL, 2, (size_t[]){ HEIGHT, WIDTH }, ink), LG_OK);
    program_ok("$bin/ctc --load r --predict one.npy --out - >one");
    char texts[2][128], *first = strdup(line_of("p/predictions.csv", 1));
    const char *cells[] = { strchr(first, '"'), strchr(line_of("one", 1), '"') };
    for (size_t i = 0; i < 2; i++)
        take_cell(&cells[i], texts[i]);
    ck_assert_str_eq(texts[0], texts[1]);
    free(first);
}
END_TEST

/* With a rate that moves nothing the validation lines cost what they did; on lines of three characters it goes on. */
START_TEST(training_goes_on_from_a_model)
{
    program_ok(QUICK "--beam 3 --epochs 3 --out r && "
               "$bin/ctc --load r --data lines.npy --labels lines.txt --lr 1e-30 --epochs 1 --beam 3 --out still && "
               "cmp r/predictions.csv still/predictions.csv");
    ck_assert_double_eq_tol(program_fact("still/run.json", "training.last.val_loss"),
                            program_fact("r/run.json", "training.last.val_loss"), 1e-9);
    program_ok("tr -d '\"a' <lines.txt | sed 's/^$/b/' >fewer.txt && $bin/ctc --load r --data lines.npy --labels fewer.txt "
               "--epochs 1 --beam 1 --out on");
    ck_assert_double_eq(program_fact("on/run.json", "arguments.window"), program_fact("r/run.json", "arguments.window"));
    program_ok("sed 3s/^./z/ lines.txt >z.txt");
    program_refused(1, "z.txt:3: \"z\" is not among the 6 characters of the model",
                    "$bin/ctc --load r --data lines.npy --labels z.txt --out refused");
    program_refused(1, "ctc: the model does not read digits", "$bin/ctc --load r --out refused");
    program_ok("$bin/ctc --lines 32 --hidden 8 --epochs 1 --beam 1 --test-split 0 --show 0 --out digits && "
               "$bin/ctc --load digits --lines 32 --epochs 1 --lr 1e-30 --beam 1 --test-split 0 --show 0 --out again && "
               "cmp digits/predictions.csv again/predictions.csv");
}
END_TEST

START_TEST(models_and_pictures_that_do_not_fit_are_refused)
{
    const lg_real large[2 * 9 * 20] = { 1 };
    program_write("two.txt", "a\nb\n");
    program_ok(QUICK "--epochs 1 --out r && head -c 900 r/model.safetensors >cut && head -c 999 /dev/urandom >garbage && "
               "sed 's/\\(\"stride\":\"\\)./\\1x/' r/model.safetensors >stride; "
               "sed 's/\\(\"height\":\"\\)6/\\17/' r/model.safetensors >height; "
               "sed 's/\\[\\\\\" /[\\\\\"z/' r/model.safetensors >disorder; cmp -s disorder r/model.safetensors && exit 9; "
               "printf '1,2\\n3,4\\n' >table.csv; $bin/vae --data table.csv --epochs 1 --out other");
    ck_assert_int_eq(lg_npy_write_array(program_path("large.npy"), LG_REAL, 3, (size_t[]){ 2, 9, 20 }, large), LG_OK);
#define READ "$bin/ctc --out refused --load "
    program_refused(1, "large.npy: lines are 9 pixels high, but those of the model are 6", READ "r --predict large.npy");
    program_refused(1, "table.csv: lines are 2 pixels high", READ "r --predict table.csv");
    program_refused(1, "large.npy: lines are 9 pixels high", READ "r --data large.npy --labels two.txt");
    program_refused(1, "ctc: absent: ", READ "absent --predict lines.npy");
    program_refused(1, "ctc: none.npy: ", READ "r --predict none.npy");
    program_refused(1, "ctc: cut: ", READ "cut --predict lines.npy");
    program_refused(1, "ctc: garbage: ", READ "garbage --predict lines.npy");
    program_refused(1, "stride: is no whole model: its text \"stride\"", READ "stride --predict lines.npy");
    program_refused(1, "height: is no whole model: it has no layer \"dense_1\"", READ "height --predict lines.npy");
    program_refused(1, "disorder: is no whole model: its list \"characters\"", READ "disorder --predict lines.npy");
    program_refused(1, "another kind: \"variational autoencoder\", not \"line reader\"", READ "other --predict lines.npy");
    program_refused(2, "no --window", READ "r --data lines.npy --labels lines.txt --window 3");
    program_refused(2, "no --labels", READ "r --predict lines.npy --labels lines.txt");
    program_refused(2, "no --lr", READ "r --predict lines.npy --lr 1");
}
END_TEST

/* ----------------------------------------------------------------- failing */

static const char *const usage_errors[] = {
    "--data lines.npy", "--labels lines.txt", "--window 0", "--beam 0", "--hidden 0", "--lines 0", "--target y",
    "--validation-split 0.6 --test-split 0.5",
};

START_TEST(usage_errors_exit_2)
{
    ck_assert_int_eq(program_run("$bin/ctc %s", usage_errors[_i]), 2);
    ck_assert_str_eq(program_file("out"), "");
    ck_assert(!program_has("runs"));
}
END_TEST

/* Each in one line on stderr. */
static const struct failure {
    const char *arguments, *said;
} failures[] = {
    { "--data none.npy --labels lines.txt", "ctc: none.npy: cannot be opened: No such file or directory\n" },
    { "--data lines.npy --labels none.txt", "ctc: none.txt: cannot be opened: No such file or directory\n" },
    { "--data empty --labels lines.txt", "ctc: empty: is empty\n" },
    { "--data table.csv --labels lines.txt",
      "ctc: table.csv: lines are images, IDX or NPY of [lines, height, width]; here a row is a vector\n" },
    { "--data paper.npy --labels lines.txt", "ctc: paper.npy: every pixel of every image is 0.5; there is nothing to read\n" },
    { "--data lines.npy --labels empty", "ctc: empty: has 0 lines of text, but lines.npy has 240 images\n" },
    { "--data lines.npy --labels few.txt", "ctc: few.txt: has 3 lines of text, but lines.npy has 240 images\n" },
    { "--data lines.npy --labels many.txt", "ctc: many.txt:241: a text too many; lines.npy has 240 images\n" },
    { "--data lines.npy --labels gap.txt", "ctc: gap.txt:2: is empty; every image has a text\n" },
    { "--data lines.npy --labels bytes.txt", "ctc: bytes.txt:2: byte 3 is no character of a text in UTF-8\n" },
    { "--data lines.npy --labels tab.txt", "ctc: tab.txt:1: byte 2 is no character of a text in UTF-8\n" },
    { "--data lines.npy --labels zero.txt", "ctc: zero.txt:1: holds a byte of 0\n" },
    { "--data lines.npy --labels long.txt", "ctc: long.txt:1: has 1025 characters; 1024 are possible\n" },
    { "--data lines.npy --labels longer.txt", "ctc: longer.txt:2: is longer than 1024 characters\n" },
    { "--data lines.npy --labels lines.txt --stride 12",
      "ctc: lines.txt:1: 8 characters need at least 8 frames, but the image, 32 columns wide, gives 3; a smaller --stride "
      "gives more\n" },
};

START_TEST(what_does_not_work_is_told_in_one_line)
{
    const lg_real grey[2 * 4] = { (lg_real)0.5, (lg_real)0.5, (lg_real)0.5, (lg_real)0.5,
                                  (lg_real)0.5, (lg_real)0.5, (lg_real)0.5, (lg_real)0.5 };
    program_write("empty", "");
    program_write("table.csv", "1,2,3\n4,5,6\n");
    program_write("few.txt", "a\nb\na\n");
    program_write("gap.txt", "a\n\nb\n");
    program_write("bytes.txt", "a\nab\xFF\n");
    program_write("tab.txt", "a\tb\n");
    ck_assert_int_eq(program_run("cat lines.txt lines.txt > many.txt; printf 'a\\0b\\n' > zero.txt; "
                                 "printf '%%01025d\\n' 7 > long.txt; printf 'a\\n%%09000d\\n' 7 > longer.txt"), 0);
    ck_assert_int_eq(lg_npy_write_array(program_path("paper.npy"), LG_REAL, 3, (size_t[]){ 2, 2, 2 }, grey), LG_OK);
    ck_assert_int_eq(program_run("$bin/ctc %s", failures[_i].arguments), 1);
    ck_assert_str_eq(program_file("err"), failures[_i].said);
    ck_assert(!program_has("runs"));
}
END_TEST

Suite *ctc_trainer_suite(void)
{
    Suite *suite = suite_create("ctc_trainer");
    TCase *learning = tcase_create("learning"), *options = tcase_create("options"), *failing = tcase_create("failing");
    TCase *const cases[] = { learning, options, failing };
    for (size_t i = 0; i < COUNT(cases); i++) {
        tcase_set_timeout(cases[i], 60);
        tcase_add_checked_fixture(cases[i], setup, program_teardown);
        suite_add_tcase(suite, cases[i]);
    }
    tcase_add_test(learning, lines_of_files_are_read_to_the_last_character);
    tcase_add_test(learning, error_rates_are_those_of_the_predictions);
    tcase_add_test(learning, a_short_run_begins_to_read_held_out_digits);
    tcase_add_test(options, a_seed_gives_the_same_run_again_on_any_number_of_threads);
    tcase_add_test(options, paper_may_be_dark_or_bright);
    tcase_add_test(options, lines_of_another_height_are_read);
    tcase_add_test(options, one_line_is_enough_without_other_parts);
    tcase_add_test(options, a_dry_run_shows_data_and_network_and_leaves_nothing);
    tcase_add_test(options, lines_without_texts_are_read_as_in_training);
    tcase_add_test(options, training_goes_on_from_a_model);
    tcase_add_test(options, models_and_pictures_that_do_not_fit_are_refused);
    tcase_add_loop_test(failing, usage_errors_exit_2, 0, COUNT(usage_errors));
    tcase_add_loop_test(failing, what_does_not_work_is_told_in_one_line, 0, COUNT(failures));
    return suite;
}
