/* --load and --predict of the trainers of tables: what a model in a file says of rows is what it said when it was
 * trained, whatever the file of rows looks like; and what cannot be is refused in one line. */
#include "program.h"
#include "support.h"

#include <check.h>
#include <luge.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* rows.csv: 120 rows amount,colour,hour,y of two classes that amount and colour tell apart in part; permuted.csv has the
 * columns in another order, another column and no y; plain.csv no header and no y. */
static void setup(void)
{
    static const char *const colours[] = { "red", "blue", "green" };
    program_setup();
    char rows[16384] = "amount,colour,hour,y\n", permuted[16384] = "hour,note,colour,amount\n", plain[16384] = "";
    lg_rng rng = lg_rng_seed(11);
    for (int i = 0; i < 120; i++) {
        const bool bad = i % 4 == 0;
        const double amount = 10 + 3 * lg_rng_normal(&rng) + (bad ? 4 : 0), hour = 12 + 4 * lg_rng_normal(&rng);
        const char *colour = colours[(i / 4 + bad) % 3];
        snprintf(rows + strlen(rows), 64, "%.4f,%s,%.4f,%s\n", amount, colour, hour, bad ? "bad" : "good");
        snprintf(permuted + strlen(permuted), 64, "%.4f,n%d,%s,%.4f\n", hour, i, colour, amount);
        snprintf(plain + strlen(plain), 64, "%.4f,%s,%.4f\n", amount, colour, hour);
    }
    program_write("rows.csv", rows);
    program_write("permuted.csv", permuted);
    program_write("plain.csv", plain);
}

#define TRAIN_FRAUD "$bin/fraud --data rows.csv --target y --positive bad --hidden 8 --epochs 8 --lr 0.02 --verbose 0 --out model"

/* ------------------------------------------------------------------- fraud */

/* Bit for bit: both write the digits that tell numbers apart. */
START_TEST(training_rows_are_predicted_as_the_training_run_did)
{
    program_ok(TRAIN_FRAUD);
    program_ok("$bin/fraud --load model --predict rows.csv --out again");
    ck_assert_uint_eq(count_lines(program_file("again/predictions.csv")), 121);
    program_ok("cut -d, -f1,4 model/predictions.csv >a && cut -d, -f1,2 again/predictions.csv >b && cmp a b");
    ck_assert_double_eq(program_fact("again/run.json", "data.rows"), 120);
    ck_assert_ptr_nonnull(strstr(program_file("again/run.json"), "\"model/model.safetensors\""));
    ck_assert_int_eq(strncmp(program_file("again/predictions.csv"), "row,probability,class\n", 22), 0);
}
END_TEST

START_TEST(predictions_are_an_array_too)
{
    program_ok(TRAIN_FRAUD);
    program_ok("$bin/fraud --load model --predict rows.csv --out again");
    lg_tensor *array = lg_npy_read(program_path("again/predictions.npy"), LG_REAL);
    ck_assert_msg(array != NULL, "%s", lg_error());
    ck_assert_uint_eq(lg_tensor_rank(array), 2);
    ck_assert_uint_eq(lg_tensor_dim(array, 0), 120);
    ck_assert_uint_eq(lg_tensor_dim(array, 1), 1);
    const char *line = program_file("again/predictions.csv");
    for (size_t i = 0; i < 120; i++) {
        double probability;
        line = strchr(line, '\n') + 1;
        ck_assert_int_eq(sscanf(line, "%*d,%lf,", &probability), 1);
        ck_assert_double_eq_tol((double)lg_tensor_data(array)[i], probability, 1e-9);
    }
    lg_tensor_free(array);
}
END_TEST

/* A file of LIBSVM's has no names: only --index-base tells whether 1:0.5 is the first feature or the second. */
START_TEST(what_indices_count_from_can_be_said)
{
    program_ok("{ for i in 1 2 3 4 5 6 7 8 9 10; do echo \"1 0:$i 1:0.5\"; echo \"-1 0:-$i 1:0.25\"; done; } >zero.txt && "
               "sed 's/ 1:/ 2:/; s/ 0:/ 1:/' zero.txt >one.txt && sed 's/ 0:[-0-9]*//' zero.txt >late.txt");
    program_ok("$bin/fraud --data zero.txt --target label --positive 1 --epochs 1 --verbose 0 --out z");
    program_ok("$bin/fraud --load z --predict zero.txt --out - >a");
    program_ok("$bin/fraud --load z --predict one.txt --index-base 1 --out - >b && cmp a b");
    program_ok("$bin/fraud --load z --predict late.txt --out - >c && $bin/fraud --load z --predict late.txt "
               "--index-base 1 --out - >d && ! cmp -s c d");
    program_refused(1, "has the index 0, but they count from 1", "$bin/fraud --load z --predict zero.txt --index-base 1");
    program_refused(2, "--index-base", "$bin/fraud --data zero.txt --target label --index-base 2");
}
END_TEST

/* awk, from the column of probabilities and the threshold of the training run. That is one of the probabilities, which the
 * column has in the digits of a float: it is taken as a hair lower. */
START_TEST(classes_go_by_the_threshold_of_the_model)
{
    program_ok(TRAIN_FRAUD);
    program_ok("$bin/fraud --load model --predict rows.csv --out again");
    char command[512];
    snprintf(command, sizeof command, "awk -F, 'NR>1 {print $1,($2>=%.17g ? \"\\\"bad\\\"\" : \"\\\"good\\\"\")}' "
             "again/predictions.csv >a && awk -F, 'NR>1 {print $1,$3}' again/predictions.csv >b && cmp a b && "
             "grep -q bad b && grep -q good b", program_fact("model/run.json", "metrics.threshold") * (1 - 1e-7));
    program_ok(command);
}
END_TEST

START_TEST(order_of_columns_names_and_header_do_not_matter)
{
    program_ok(TRAIN_FRAUD);
    program_ok("$bin/fraud --load model/model.safetensors --predict rows.csv --out - >first");
    ck_assert_uint_eq(count_lines(program_file("first")), 121);
    program_ok("$bin/fraud --load model --predict permuted.csv --out - | cmp - first");
    program_ok("$bin/fraud --load model --predict plain.csv --out - | cmp - first");
    program_ok("gzip -k permuted.csv && $bin/fraud --load model --predict permuted.csv.gz --out - | cmp - first");
    program_ok("sed 1d rows.csv >bare.csv && $bin/fraud --load model --predict bare.csv --target 3 --out - | cmp - first");
    ck_assert(!program_has("runs"));
}
END_TEST

START_TEST(predictions_get_a_folder_of_their_own)
{
    program_ok(TRAIN_FRAUD);
    program_ok("$bin/fraud --load model --predict rows.csv && $bin/fraud --load model --predict rows.csv");
    ck_assert(program_has("runs/fraud-predictions/predictions.csv"));
    ck_assert(program_has("runs/fraud-predictions-2/predictions.csv"));
    program_refused(1, "holds a run already", "$bin/fraud --load model --predict rows.csv --out runs/fraud-predictions");
    program_ok("$bin/fraud --load model --predict rows.csv --out runs/fraud-predictions --overwrite");
}
END_TEST

START_TEST(the_model_that_predicts_is_not_overwritten)
{
    program_ok(TRAIN_FRAUD);
    program_ok("cp model/model.safetensors kept; ln -s model link");
    const char *const commands[] = { "$bin/fraud --load model --predict rows.csv --out model --overwrite",
                                     "$bin/fraud --load model/model.safetensors --predict rows.csv --out link/ --overwrite",
                                     "$bin/fraud --load link --data rows.csv --target y --out ./model --overwrite" };
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        program_refused(1, "is the model that is loaded, which --overwrite would remove", commands[i]);
    program_ok("cmp kept model/model.safetensors && test -e model/run.json");
    program_ok("mkdir -p runs && mv model runs/fraud");
    program_refused(1, "runs/fraud/model.safetensors: is the model that is loaded",
                    "$bin/fraud --load runs/fraud --data rows.csv --target y --overwrite");
    program_ok("$bin/fraud --load runs/fraud --predict rows.csv --overwrite --out elsewhere && test -e elsewhere/run.json");
}
END_TEST

/* Lines of LIBSVM have no names; their labels are not asked for. */
START_TEST(files_of_libsvm_are_predicted_by_position)
{
    program_ok("awk 'BEGIN {print \"a,b,y\"; for (i = 0; i < 40; i++) print i \",\" (i * 7) % 11 \",\" (i > 18)}' >n.csv");
    program_ok("awk 'BEGIN {for (i = 0; i < 40; i++) print (i > 18) \" 1:\" i \" 2:\" (i * 7) % 11}' >n.libsvm");
    program_ok("$bin/fraud --data n.csv --target y --epochs 2 --verbose 0 --out model");
    program_ok("$bin/fraud --load model --predict n.csv --out - >first");
    program_ok("$bin/fraud --load model --predict n.libsvm --out - | cmp - first");
    program_ok("head -n 1 n.libsvm >one.libsvm && $bin/fraud --load model --predict one.libsvm --out - >one && head -n 2 first | "
           "cmp - one");
    program_ok("echo '0,0,only' >one.csv && $bin/fraud --load model --predict one.csv --target 2 --out - | cmp - one");
}
END_TEST

/* The mean of the training part, which only the model knows, stands in for what is missing. */
START_TEST(missing_numbers_are_filled_as_in_training)
{
    program_ok("sed '5s/^[^,]*,/,/' rows.csv >holes.csv");
    program_ok("$bin/fraud --data holes.csv --target y --missing mean --epochs 2 --verbose 0 --out filled");
    program_ok("$bin/fraud --load filled --predict holes.csv --out again");
    program_ok("cut -d, -f1,4 filled/predictions.csv >a && cut -d, -f1,2 again/predictions.csv >b && cmp a b");
    program_ok("sed -n '1p;5p' holes.csv >one.csv && $bin/fraud --load filled --predict one.csv --out - >one");
    program_ok("test \"$(sed -n 5p b | cut -d, -f2)\" = \"$(sed -n 2p one | cut -d, -f2)\"");
    program_ok(TRAIN_FRAUD);
    program_refused(1, "holes.csv:5: column \"amount\"", "$bin/fraud --load model --predict holes.csv --out refused");
}
END_TEST

START_TEST(rows_that_do_not_fit_are_refused)
{
    program_ok(TRAIN_FRAUD);
    program_ok("cut -d, -f2- rows.csv >no-amount.csv; sed 's/green/pink/' rows.csv >pink.csv; head -n 1 rows.csv >header.csv; "
           ": >empty.csv; cut -d, -f1,2 plain.csv >narrow.csv; head -c 500 /dev/zero >zeros.csv");
#define PREDICT "$bin/fraud --load model --out refused --predict "
    program_refused(1, "no-amount.csv: the feature \"amount\" is missing", PREDICT "no-amount.csv");
    program_refused(1, "column \"colour\": \"pink\" is not known", PREDICT "pink.csv");
    program_refused(1, "header.csv: there is a header, but no rows", PREDICT "header.csv");
    program_refused(1, "empty.csv", PREDICT "empty.csv");
    program_refused(1, "narrow.csv: has no header, and columns for 2 features", PREDICT "narrow.csv");
    program_refused(1, "zeros.csv", PREDICT "zeros.csv");
    program_refused(1, "absent.csv", PREDICT "absent.csv");
}
END_TEST

/* --------------------------------------------------------------------- svm */

START_TEST(the_machine_scores_training_rows_as_its_run_did)
{
    program_ok("$bin/svm --data rows.csv --target y --positive bad --folds 0 --epochs 3 --verbose 0 --out plane");
    program_ok("$bin/svm --load plane --predict permuted.csv --out again");
    program_ok("cut -d, -f1,4 plane/predictions.csv >a && cut -d, -f1,2 again/predictions.csv >b && cmp a b");
    program_ok("awk -F, 'NR>1 {print $1,($2>=0 ? \"\\\"bad\\\"\" : \"\\\"good\\\"\")}' again/predictions.csv >a && "
           "awk -F, 'NR>1 {print $1,$3}' again/predictions.csv >b && cmp a b && grep -q bad b && grep -q good b");
    program_ok(TRAIN_FRAUD);
    program_refused(1, "of another kind", "$bin/svm --load model --predict rows.csv --out refused");
    program_refused(1, "\"amount\" is missing", "cut -d, -f2- rows.csv >less.csv; $bin/svm --load plane --predict less.csv "
                                               "--out refused");
    program_refused(2, "no --lambda", "$bin/svm --load plane --predict rows.csv --lambda 1");
}
END_TEST

/* ------------------------------------------------------------------ models */

START_TEST(files_that_are_no_such_model_are_refused)
{
    program_ok(TRAIN_FRAUD);
    program_ok("$bin/svm --data rows.csv --target y --epochs 1 --folds 0 --verbose 0 --out plane; head -c 400 "
           "model/model.safetensors >cut; sed 's/\"dense_1\\.bias/\"dense_9.bias/' model/model.safetensors >odd; "
           "sed 's/5,8,1/5,9,1/' model/model.safetensors >wide; sed 's/features/FEATURES/' model/model.safetensors >nameless; "
           "mkdir hollow; : >empty");
    const char *const wrong[][2] = { { "plane", "of another kind: \"linear support vector machine\", not \"fraud detector\"" },
                                     { "cut", "cut: is cut" },
                                     { "odd", "has no layer \"dense_1\"" },
                                     { "wide", "has no layer \"dense_1\" from 5 to 9" },
                                     { "nameless", "its list \"features\"" },
                                     { "hollow", "hollow/model.safetensors: " },
                                     { "empty", "empty: " },
                                     { "absent", "absent: " },
                                     { "rows.csv", "rows.csv: " } };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char command[128];
        snprintf(command, sizeof command, "$bin/fraud --load %s --predict rows.csv --out refused", wrong[i][0]);
        program_refused(1, wrong[i][1], command);
    }
}
END_TEST

START_TEST(options_that_make_no_sense_together_are_usage_errors)
{
    program_refused(2, "--predict needs --load", "$bin/fraud --predict rows.csv");
    program_refused(2, "no --epochs", "$bin/fraud --load m --predict rows.csv --epochs 2");
    program_refused(2, "no --data", "$bin/fraud --load m --predict rows.csv --data rows.csv --target y");
    program_refused(2, "no --hidden", "$bin/fraud --load m --predict rows.csv --hidden 2");
    program_refused(2, "no --hidden", "$bin/fraud --load m --data rows.csv --target y --hidden 2");
    program_refused(2, "no --positive", "$bin/fraud --load m --data rows.csv --target y --positive bad");
    program_refused(2, "--load: the name of a file", "$bin/fraud --load ''");
}
END_TEST

/* ------------------------------------------------------------- fine-tuning */

/* With a rate that moves nothing the model stays what it was: weights, scale, columns and classes. */
START_TEST(training_goes_on_from_the_weights_that_are_loaded)
{
    program_ok(TRAIN_FRAUD);
    program_ok("$bin/fraud --load model --predict rows.csv --out - | cut -d, -f1,2 >first");
    program_ok("awk -F, '{print $4 \",\" $2 \",\" $3 \",\" $1}' rows.csv >turned.csv");
    program_ok("$bin/fraud --load model --data turned.csv --target y --epochs 1 --lr 1e-30 --verbose 0 --out still && "
           "$bin/fraud --load still --predict permuted.csv --out - | cut -d, -f1,2 | cmp - first");
    program_ok("$bin/fraud --load model --data turned.csv --target y --epochs 40 --lr 0.02 --verbose 0 --out more");
    ck_assert_double_lt(program_fact("more/run.json", "training.last.loss"),
                        0.97 * program_fact("model/run.json", "training.last.loss"));
    program_refused(1, "is a model of 5 features, but the data have", "$bin/fraud --load model --out refused");
    program_ok("sed 's/bad/worse/' rows.csv >worse.csv");
    program_refused(1, "\"worse\" is not known", "$bin/fraud --load model --data worse.csv --target y --out refused");
}
END_TEST

/* As any run that is gone on with; --load is one of the options it was begun with. */
START_TEST(training_that_went_on_from_a_model_is_resumed)
{
    static const char *const programs[] = { "fraud", "svm", "quantile --constant-rate" };
    for (size_t i = 0; i < sizeof programs / sizeof *programs; i++) {
        const bool quantile = i == 2;
        char name[16], command[512];
        snprintf(name, sizeof name, "%.*s", (int)strcspn(programs[i], " "), programs[i]);
        snprintf(command, sizeof command, "$bin/%s --data rows.csv --target %s --epochs 2 --verbose 0 --out m%zu", name,
                 quantile ? "amount" : "y", i);
        program_ok(command);
#define GO_ON "$bin/%s --load m%zu --data rows.csv --target %s --save-every 1 --verbose 0 "
        snprintf(command, sizeof command, GO_ON "--epochs 5 --out whole%zu", programs[i], i, quantile ? "amount" : "y", i);
        program_ok(command);
        snprintf(command, sizeof command, GO_ON "--epochs 3 --out part%zu", programs[i], i, quantile ? "amount" : "y", i);
        program_ok(command);
        snprintf(command, sizeof command, GO_ON "--epochs 5 --resume part%zu", programs[i], i, quantile ? "amount" : "y", i);
        program_ok(command);
        snprintf(command, sizeof command, "cmp whole%zu/model.safetensors part%zu/model.safetensors && "
                 "cmp whole%zu/predictions.csv part%zu/predictions.csv && ! cmp -s m%zu/model.safetensors "
                 "part%zu/model.safetensors", i, i, i, i, i, i);
        program_ok(command);
        snprintf(command, sizeof command, "$bin/%s --data rows.csv --target %s --save-every 1 --epochs 6 --resume part%zu",
                 programs[i], quantile ? "amount" : "y", i);
        program_refused(1, "arguments.load was", command);
    }
}
END_TEST

Suite *predict_suite(void)
{
    Suite *suite = suite_create("predict");
    TCase *tcase = tcase_create("predict");
    tcase_set_timeout(tcase, 300);
    tcase_add_checked_fixture(tcase, setup, program_teardown);
    tcase_add_test(tcase, training_rows_are_predicted_as_the_training_run_did);
    tcase_add_test(tcase, predictions_are_an_array_too);
    tcase_add_test(tcase, what_indices_count_from_can_be_said);
    tcase_add_test(tcase, classes_go_by_the_threshold_of_the_model);
    tcase_add_test(tcase, order_of_columns_names_and_header_do_not_matter);
    tcase_add_test(tcase, predictions_get_a_folder_of_their_own);
    tcase_add_test(tcase, the_model_that_predicts_is_not_overwritten);
    tcase_add_test(tcase, files_of_libsvm_are_predicted_by_position);
    tcase_add_test(tcase, missing_numbers_are_filled_as_in_training);
    tcase_add_test(tcase, rows_that_do_not_fit_are_refused);
    tcase_add_test(tcase, the_machine_scores_training_rows_as_its_run_did);
    tcase_add_test(tcase, files_that_are_no_such_model_are_refused);
    tcase_add_test(tcase, options_that_make_no_sense_together_are_usage_errors);
    tcase_add_test(tcase, training_goes_on_from_the_weights_that_are_loaded);
    tcase_add_test(tcase, training_that_went_on_from_a_model_is_resumed);
    suite_add_tcase(suite, tcase);
    return suite;
}
