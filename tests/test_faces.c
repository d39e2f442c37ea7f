/* Faces as a program: training, and a gallery that people are put into, found in and taken out of. */
#include "clusters.h"
#include "program.h"

#include <check.h>
#include <luge.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TRAIN "$bin/faces train --data rows.csv --target who --scale each --hidden 16 --embedding 4 --epochs 6 --lr 0.01 " \
              "--early-stopping 50 --batch-rows 4 --false-accepts 0.1 --seed 1 --verbose 0"

/* Twenty classes to train on; k20, k21, ... are people that nobody has seen. */
static void setup(void)
{
    program_setup();
    clusters_write("rows.csv", 0, 20, 12, 1, 1);
    clusters_write("ann.csv", 20, 1, 3, 0, 2);
    clusters_write("bob.csv", 21, 1, 2, 0, 3);
    clusters_write("ann2.csv", 20, 1, 5, 0, 4);
    clusters_write("eve.csv", 22, 1, 5, 0, 5);
}

static void trained(void)
{
    ck_assert_int_eq(program_run(TRAIN " --out runs/faces"), 0);
}

START_TEST(digits_that_it_has_never_seen_are_identified)
{
    ck_assert_int_eq(program_run("$bin/faces train --out r"), 0);
    ck_assert_double_ge(program_fact("r/run.json", "metrics.test.rank_1_accuracy"), 0.75);
    ck_assert_double_le(program_fact("r/run.json", "metrics.validation.false_accepts"), 0.01);
    ck_assert_double_le(program_fact("r/run.json", "metrics.test.false_accepts"), 0.5);
}
END_TEST

/* The rates of run.json by counting over predictions.csv; the threshold is as far as the stated rate allows. */
START_TEST(rates_are_those_of_counting_over_the_predictions)
{
    trained();
    const double threshold = program_fact("runs/faces/run.json", "metrics.threshold") * (1 + 1e-7);
    static const char *const parts[] = { "validation", "test" };
    for (size_t p = 0; p < 2; p++) {
        size_t n, wider = 0;
        double *own = table_column("runs/faces/predictions.csv", "distance_own", parts[p], &n);
        double *other = table_column("runs/faces/predictions.csv", "distance_other", parts[p], &n);
        double *loss = table_column("runs/faces/predictions.csv", "loss", parts[p], &n);
        ck_assert_uint_eq(n, p ? 6 * 7 : 4 * 7); /* 5 of 12 are registered */
        double first = 0, identified = 0, wrong = 0, rejected = 0, accepted = 0, next = INFINITY;
        for (size_t i = 0; i < n; i++) {
            const double share = 1 / (double)n;
            first += own[i] <= other[i] ? share : 0;
            identified += own[i] <= other[i] && own[i] <= threshold ? share : 0;
            wrong += other[i] < own[i] && other[i] <= threshold ? share : 0;
            rejected += fmin(own[i], other[i]) > threshold ? share : 0;
            accepted += other[i] <= threshold ? share : 0;
            next = other[i] > threshold ? fmin(next, other[i]) : next;
            ck_assert_double_eq_tol(loss[i], fmax(0, own[i] * own[i] - other[i] * other[i] + 0.2), 1e-5);
        }
        static const char *const names[] = { "rank_1_accuracy", "identified", "misidentified", "false_rejects",
                                             "false_accepts" };
        const double counted[] = { first, identified, wrong, rejected, accepted };
        for (size_t i = 0; i < 5; i++) {
            char key[96];
            snprintf(key, sizeof key, "metrics.%s.%s", parts[p], names[i]);
            ck_assert_double_eq_tol(program_fact("runs/faces/run.json", key), counted[i], 1e-9);
        }
        if (p == 0) { /* one stranger more, and it would be above a tenth */
            ck_assert_double_le(accepted, 0.1);
            for (size_t i = 0; i < n; i++)
                wider += other[i] <= next;
            ck_assert_double_gt((double)wider / (double)n, 0.1);
        }
        free(own), free(other), free(loss);
    }
}
END_TEST

START_TEST(people_are_registered_identified_and_forgotten)
{
    trained();
    ck_assert_int_eq(program_run("$bin/faces list"), 0);
    ck_assert_str_eq(program_file("out"), "name,pictures\n");
    ck_assert_int_eq(program_run("$bin/faces identify ann.csv"), 0);
    ck_assert_ptr_nonnull(strstr(program_file("out"), "ann.csv,0,Unknown,inf,\n"));
    ck_assert_int_eq(program_run("$bin/faces register Ann ann.csv && $bin/faces register 'Bob B.' bob.csv bob.csv"), 0);
    ck_assert_str_eq(program_file("out"), "Ann: 3 pictures more\nBob B.: 4 pictures more\n");
    ck_assert_int_eq(program_run("$bin/faces list"), 0);
    ck_assert_str_eq(program_file("out"), "name,pictures\nAnn,3\nBob B.,4\n");

    ck_assert_int_eq(program_run("$bin/faces identify ann2.csv eve.csv bob.csv --threshold 0.3"), 0);
    const char *out = program_file("out");
    ck_assert_int_eq(strncmp(out, "file,row,name,distance,nearest\nann2.csv,0,Ann,", 46), 0);
    ck_assert_uint_eq(count_lines(out), 1 + 5 + 5 + 2);
    for (int i = 0; i < 5; i++) {
        char line[64];
        snprintf(line, sizeof line, "ann2.csv,%d,Ann,", i);
        ck_assert_msg(strstr(out, line) != NULL, "%s: %s", line, out);
        snprintf(line, sizeof line, "eve.csv,%d,Unknown,", i);
        ck_assert_msg(strstr(out, line) != NULL, "%s: %s", line, out);
    }
    ck_assert_ptr_nonnull(strstr(out, "bob.csv,1,Bob B.,0,Bob B.\n")); /* the very picture that was registered */

    ck_assert_int_eq(program_run("$bin/faces forget Ann && $bin/faces identify ann.csv --threshold 1e9"), 0);
    ck_assert_ptr_nonnull(strstr(program_file("out"), "Ann: forgotten\n"));
    ck_assert_ptr_nonnull(strstr(program_file("out"), "ann.csv,0,Bob B.,"));
    ck_assert_int_eq(program_run("$bin/faces list"), 0);
    ck_assert_str_eq(program_file("out"), "name,pictures\nBob B.,4\n");
}
END_TEST

START_TEST(the_threshold_is_that_of_training)
{
    trained();
    clusters_write("many.csv", 22, 8, 2, 0, 6);
    ck_assert_int_eq(program_run("$bin/faces register Ann ann.csv && $bin/faces identify ann2.csv many.csv"), 0);
    const double threshold = program_fact("runs/faces/run.json", "metrics.threshold");
    size_t lines = 0, unknown = 0;
    for (const char *line = strstr(program_file("out"), "nearest\n") + 8; *line; line = strchr(line, '\n') + 1) {
        char name[32];
        double distance;
        ck_assert_int_eq(sscanf(line, "%*[^,],%*d,%31[^,],%lf", name, &distance), 2);
        ck_assert_str_eq(name, distance <= threshold ? "Ann" : "Unknown");
        unknown += distance > threshold;
        lines++;
    }
    ck_assert_uint_eq(lines, 5 + 16);
    ck_assert_msg(unknown >= 1, "%g: %s", threshold, program_file("out"));
}
END_TEST

START_TEST(a_picture_may_come_as_csv_or_npy_and_as_one_array)
{
    trained();
    const lg_real row[] = { 1, -2, (lg_real)0.5, 3 };
    ck_assert_int_eq(lg_npy_write_array(program_path("one.npy"), LG_REAL, 2, (const size_t[]){ 1, 4 }, row), LG_OK);
    ck_assert_int_eq(lg_npy_write_array(program_path("square.npy"), LG_REAL, 2, (const size_t[]){ 2, 2 }, row), LG_OK);
    program_write("one.csv", "a,b,c,d,label\n1,-2,0.5,3,x\n");
    ck_assert_int_eq(program_run("$bin/faces register Zed one.npy && "
                                 "$bin/faces identify square.npy one.npy && $bin/faces identify one.csv --drop label"), 0);
    ck_assert_ptr_nonnull(strstr(program_file("out"), "square.npy,0,Zed,0,Zed\n"));
    ck_assert_ptr_nonnull(strstr(program_file("out"), "one.npy,0,Zed,0,Zed\n"));
    ck_assert_ptr_nonnull(strstr(program_file("out"), "one.csv,0,Zed,0,Zed\n"));
}
END_TEST

/* Also when the gallery was written anew since. */
START_TEST(columns_are_found_by_their_names)
{
    trained();
    program_write("one.csv", "a,b,c,d\n1,-2,0.5,3\n");
    program_write("moved.csv", "d,who,b,c,a\n3,x,-2,0.5,1\n");
    program_write("bare.csv", "1,-2,0.5,3\n");
    program_ok("$bin/faces register Zed one.csv >/dev/null && $bin/faces register Ann ann.csv >/dev/null && "
               "$bin/faces identify moved.csv bare.csv");
    ck_assert_ptr_nonnull(strstr(program_file("out"), "moved.csv,0,Zed,0,Zed\n"));
    ck_assert_ptr_nonnull(strstr(program_file("out"), "bare.csv,0,Zed,0,Zed\n"));
}
END_TEST

START_TEST(the_gallery_is_a_file_that_others_open)
{
    trained();
    ck_assert_int_eq(program_run("$bin/faces register \"$(printf '\\303\\204nne')\" ann.csv"), 0);
    lg_safetensors *file = lg_safetensors_open(program_path("runs/faces/gallery.safetensors"));
    ck_assert_str_eq(lg_safetensors_metadata(file, "names"), "[\"\xC3\x84nne\"]");
    const lg_file_tensor *vectors = lg_safetensors_find(file, "people.vectors");
    ck_assert(vectors->rank == 2 && vectors->dims[0] == 3 && vectors->dims[1] == 4);
    lg_safetensors_close(file);
}
END_TEST

START_TEST(people_registered_at_the_same_time_are_all_there)
{
    trained();
    ck_assert_int_eq(program_run("for i in 1 2 3 4 5 6; do $bin/faces register p$i ann.csv > /dev/null & done; wait; "
                                 "$bin/faces list | sort"), 0);
    ck_assert_str_eq(program_file("out"), "name,pictures\np1,3\np2,3\np3,3\np4,3\np5,3\np6,3\n");
}
END_TEST

START_TEST(a_full_disk_leaves_the_gallery)
{
    trained();
    ck_assert_int_eq(program_run("$bin/faces register Ann ann.csv && cp runs/faces/gallery.safetensors before"), 0);
    ck_assert_int_eq(program_run("(trap '' XFSZ; ulimit -f 1; exec $bin/faces register Bob bob.csv)"), 1);
    ck_assert_ptr_nonnull(strstr(program_file("err"), "faces: runs/faces/gallery.safetensors: cannot be written: "));
    ck_assert_int_eq(program_run("cmp before runs/faces/gallery.safetensors && test $(ls runs/faces | grep -c gallery) = 1"), 0);
}
END_TEST

/* The network of a model, as it is: the gallery says of pictures what the first one does. */
START_TEST(training_begins_with_the_network_of_a_model)
{
    trained();
    program_ok("$bin/faces train --load runs/faces --data rows.csv --target who --epochs 1 --lr 1e-30 --batch-rows 4 "
               "--false-accepts 0.1 --seed 1 --verbose 0 --out on && cmp runs/faces/predictions.csv on/predictions.csv");
    program_ok("$bin/faces register Ann ann.csv >/dev/null && $bin/faces register Ann ann.csv --gallery on/gallery.safetensors "
               ">/dev/null && $bin/faces identify eve.csv >a && $bin/faces identify eve.csv --gallery on/gallery.safetensors "
               "| cmp - a");
    program_refused(2, "no --embedding", "$bin/faces train --load runs/faces --data rows.csv --target who --embedding 3");
    program_refused(2, "unrecognized option '--predict", "$bin/faces train --load runs/faces --predict rows.csv");
}
END_TEST

/* Cut and flipped galleries: an answer or one line, never a crash. */
START_TEST(a_damaged_gallery_is_refused)
{
    trained();
    ck_assert_int_eq(program_run("$bin/faces register Ann ann.csv && cp runs/faces/gallery.safetensors g"), 0);
    ck_assert_int_eq(program_run("size=$(stat -c %%s g); for n in 0 1 7 8 9 200 700 $((size / 2)) $((size - 1)); do "
                                 "head -c $n g > cut; $bin/faces list --gallery cut; test $? = 1 || exit 9; done"), 0);
    ck_assert_uint_eq(count_lines(program_file("err")), 9);
    ck_assert_int_eq(program_run("for n in $(seq 8 37 900); do cp g bad; printf x | dd of=bad bs=1 seek=$n conv=notrunc "
                                 "2> /dev/null; $bin/faces identify ann.csv --gallery bad; "
                                 "test $? -le 1 || exit 9; done"), 0);
}
END_TEST

START_TEST(what_is_wrong_is_said_in_one_line)
{
    static const struct {
        const char *arguments;
        int status;
        const char *part;
    } cases[] = {
        { "", 2, "a command is wanted: train, register, identify, list or forget" },
        { "bogus", 2, "\"bogus\" is no command" },
        { "register Ann", 2, "register: a name and files are wanted" },
        { "identify", 2, "identify: files are wanted" },
        { "forget", 2, "forget: a name is wanted" },
        { "list all", 2, "list: that is more than it takes" },
        { "list --bogus", 2, "unrecognized option '--bogus'" },
        { "identify ann.csv --threshold -1", 2, "--threshold" },
        { "train --bogus", 2, "unrecognized option '--bogus'" },
        { "train --shots 0", 2, "--shots: \"0\" is not a whole number from 1" },
        { "train --data rows.csv", 2, "--data needs --target or --labels" },
        { "train --data none.csv --target who", 1, "faces: none.csv: " },
        { "list --gallery none", 1, "faces: none: cannot be opened: No such file or directory" },
        { "register Ann ann.csv --gallery none", 1, "faces: none: cannot be opened: No such file or directory" },
        { "list --gallery .", 1, "faces: .: is a directory" },
        { "list --gallery ann.csv", 1, "faces: ann.csv: is no safetensors file" },
        { "list --gallery runs/faces/model.safetensors", 1, "model.safetensors: is no gallery of faces" },
        { "forget Nobody", 1, "faces: nobody is called \"Nobody\"" },
        { "identify none.csv", 1, "faces: none.csv: " },
        { "identify other.csv", 1, "faces: other.csv: the feature \"b\" is missing" },
        { "identify five.csv", 1, "faces: five.csv: pictures of 5 numbers, but the network takes 4; is one column a label" },
        { "identify three.npy", 1, "faces: three.npy: pictures of 3 numbers, but the network takes 4" },
        { "register unknown ann.csv", 1, "\"unknown\" is no name for somebody" },
        { "register a,b ann.csv", 1, "\"a,b\" is no name for somebody" },
        { "register '' ann.csv", 1, "\"\" is no name for somebody" },
        { "register Ann empty.csv", 1, "empty.csv" },
    };
    const lg_real three[6] = { 0 };
    trained();
    program_write("empty.csv", "");
    program_write("other.csv", "a,B,c,d\n1,2,3,4\n");
    program_write("five.csv", "1,2,3,4,5\n");
    ck_assert_int_eq(lg_npy_write_array(program_path("three.npy"), LG_REAL, 2, (const size_t[]){ 2, 3 }, three), LG_OK);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const int status = program_run("$bin/faces %s", cases[i].arguments);
        const char *error = program_file("err");
        ck_assert_msg(status == cases[i].status, "%s: exit %d: %s", cases[i].arguments, status, error);
        ck_assert_msg(strstr(error, cases[i].part) != NULL, "%s: %s", cases[i].arguments, error);
        ck_assert_msg(count_lines(error) == (status == 2 ? 2 : 1), "%s: %s", cases[i].arguments, error);
    }
    ck_assert_int_eq(program_run("$bin/faces list"), 0);
    ck_assert_str_eq(program_file("out"), "name,pictures\n"); /* none of it changed the gallery */
    ck_assert_int_eq(program_run("$bin/faces list > /dev/full"), 1);
    ck_assert_int_eq(program_run("$bin/faces --help && $bin/faces train --help && $bin/faces --version"), 0);
    ck_assert_ptr_nonnull(strstr(program_file("out"), "register NAME FILE..."));
}
END_TEST

Suite *faces_suite(void)
{
    Suite *suite = suite_create("faces");
    TCase *tcase = tcase_create("faces");
    tcase_add_checked_fixture(tcase, setup, program_teardown);
    tcase_set_timeout(tcase, 40);
    tcase_add_test(tcase, digits_that_it_has_never_seen_are_identified);
    tcase_add_test(tcase, rates_are_those_of_counting_over_the_predictions);
    tcase_add_test(tcase, people_are_registered_identified_and_forgotten);
    tcase_add_test(tcase, the_threshold_is_that_of_training);
    tcase_add_test(tcase, a_picture_may_come_as_csv_or_npy_and_as_one_array);
    tcase_add_test(tcase, columns_are_found_by_their_names);
    tcase_add_test(tcase, the_gallery_is_a_file_that_others_open);
    tcase_add_test(tcase, people_registered_at_the_same_time_are_all_there);
    tcase_add_test(tcase, a_full_disk_leaves_the_gallery);
    tcase_add_test(tcase, training_begins_with_the_network_of_a_model);
    tcase_add_test(tcase, a_damaged_gallery_is_refused);
    tcase_add_test(tcase, what_is_wrong_is_said_in_one_line);
    suite_add_tcase(suite, tcase);
    return suite;
}
