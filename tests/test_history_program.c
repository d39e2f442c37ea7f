/* The program `history`, run as a user runs it. */
#include "program.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

static const char small[] = "epoch,loss,val_loss,val_accuracy,learning_rate\n"
                            "1,4,3,0.5,0.1\n"
                            "2,2,nan,0.75,0.1\n"
                            "3,1,1.25,0.75,0.05\n"
                            "4,0.5,1.5,0.625,0.05\n";

static const char small_lines[] = "{\"epoch\": 1, \"loss\": 4, \"val_loss\": 3, \"val_accuracy\": 0.5, \"learning_rate\": 0.1}\n"
                                  "{\"epoch\": 2, \"loss\": 2, \"val_loss\": null, \"val_accuracy\": 0.75, \"learning_rate\": 0.1}\n"
                                  "{\"epoch\": 3, \"loss\": 1, \"val_loss\": 1.25, \"val_accuracy\": 0.75, \"learning_rate\": 0.05}\n"
                                  "{\"epoch\": 4, \"loss\": 0.5, \"val_loss\": 1.5, \"val_accuracy\": 0.625, \"learning_rate\": 0.05}\n";

static void expect_output(const char *wanted)
{
    const char *found = program_file("out");
    ck_assert_msg(strcmp(found, wanted) == 0, "this was printed:\n%s\nand this:\n%s", found, program_file("err"));
}

/* One line on stderr, with this in it. */
static void expect_error_line(const char *wanted)
{
    const char *error = program_file("err");
    ck_assert_msg(strstr(error, wanted) != NULL && strncmp(error, "history: ", 9) == 0, "%s", error);
    ck_assert_msg(count_lines(error) == 1, "%s", error);
}

/* A line of a text, from 0, as a string of its own. */
static const char *line_of(const char *text, size_t line)
{
    static char copy[4][1024];
    static size_t next;
    for (; line > 0 && text; line--)
        text = (text = strchr(text, '\n')) ? text + 1 : NULL;
    ck_assert_ptr_nonnull(text);
    char *out = copy[next++ % 4];
    snprintf(out, sizeof *copy, "%.*s", (int)strcspn(text, "\n"), text);
    return out;
}

/* Epochs 1 to `rows` with a loss that is lowest, 0, in epoch `best`. */
static void write_long(const char *name, int rows, int best)
{
    static char text[65536];
    size_t used = (size_t)snprintf(text, sizeof text, "epoch,loss\n");
    for (int epoch = 1; epoch <= rows; epoch++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%d,%d\n", epoch, (epoch - best) * (epoch - best));
    program_write(name, text);
}

/* -------------------------------------------------------------------- show */

static const char small_table[] = "run: 4 epochs, 5 columns\n"
                                  "\n"
                                  "epoch  loss  val_loss  val_accuracy  learning_rate\n"
                                  "    1     4         3           0.5            0.1\n"
                                  "    2     2       nan          0.75            0.1\n"
                                  "    3     1      1.25          0.75           0.05  < best val_loss\n"
                                  "    4   0.5       1.5         0.625           0.05\n"
                                  "\n"
                                  "column         better          best    epoch          last\n"
                                  "loss           lower            0.5        4           0.5\n"
                                  "val_loss       lower           1.25        3           1.5\n"
                                  "val_accuracy   higher          0.75        2         0.625\n"
                                  "learning_rate  -                  -        -          0.05\n";

START_TEST(show_prints_the_epochs_and_the_best_of_each_column)
{
    program_write("run.csv", small);
    ck_assert_int_eq(program_run("$bin/history show run.csv"), 0);
    expect_output(small_table);
    ck_assert_str_eq(program_file("err"), "");
}
END_TEST

START_TEST(json_lines_folders_and_pipes_give_the_same)
{
    program_write("run.data", small_lines);
    ck_assert_int_eq(program_run("$bin/history show run.data"), 0);
    expect_output(small_table);
    ck_assert_int_eq(program_run("mkdir -p runs/run && cp run.data runs/run/history.jsonl && $bin/history show runs/run/"), 0);
    expect_output(small_table); /* the folder is the name, and the lines are read where there is no CSV */
    ck_assert_int_eq(program_run("cd runs/run && $bin/history show ."), 0);
    expect_output(small_table);
    ck_assert_int_eq(program_run("cd runs/run && $bin/history show history.jsonl"), 0);
    expect_output(small_table);
    ck_assert_int_eq(program_run("cat run.data | $bin/history show -"), 0);
    ck_assert_int_eq(strncmp(program_file("out"), "stdin: 4 epochs", 15), 0);
    ck_assert_str_eq(strchr(program_file("out"), '\n'), strchr(small_table, '\n'));
}
END_TEST

START_TEST(columns_can_be_chosen_and_fit_the_width)
{
    program_write("run.csv", small);
    ck_assert_int_eq(program_run("$bin/history show run.csv --columns val_loss,loss"), 0);
    ck_assert_str_eq(line_of(program_file("out"), 2), "epoch  loss  val_loss"); /* in the order of the file */
    ck_assert_ptr_null(strstr(program_file("out"), "accuracy"));
    ck_assert_int_eq(program_run("$bin/history show run.csv --width 40"), 0);
    ck_assert_str_eq(line_of(program_file("out"), 2), "epoch  loss  val_loss");
    ck_assert_str_eq(line_of(program_file("out"), 7), "2 more columns: --columns all");
    ck_assert_int_eq(program_run("$bin/history show run.csv --width 40 --columns all"), 0);
    ck_assert_str_eq(line_of(program_file("out"), 2), "epoch  loss  val_loss  val_accuracy  learning_rate");
}
END_TEST

START_TEST(a_long_run_is_cut_in_the_middle_but_for_the_best)
{
    write_long("long.csv", 100, 50);
    ck_assert_int_eq(program_run("$bin/history show long.csv | sed -n '3,/^$/p' | tr -s ' ' '_'"), 0);
    expect_output("epoch_loss\n_1_2401\n_2_2304\n_3_2209\n_4_2116\n_5_2025\n_..." "\n_50_0_<_best_loss\n_..." "\n_91_1681\n"
                  "_92_1764\n_93_1849\n_94_1936\n_95_2025\n_96_2116\n_97_2209\n_98_2304\n_99_2401\n_100_2500\n\n");
    ck_assert_int_eq(program_run("$bin/history show --all long.csv"), 0);
    ck_assert_uint_eq(count_lines(program_file("out")), 2 + 1 + 100 + 1 + 2);
    ck_assert_ptr_null(strstr(program_file("out"), "..."));
    ck_assert_int_eq(program_run("head -26 long.csv | $bin/history show -"), 0); /* 25 epochs are not long */
    ck_assert_ptr_null(strstr(program_file("out"), "..."));
}
END_TEST

static const struct { const char *name, *options, *better, *best; } directions[] = {
    { "loss", "", "lower", "1" },           { "train_loss", "", "lower", "1" },     { "logloss", "", "lower", "1" },
    { "accuracy", "", "higher", "3" },      { "val_roc_auc", "", "higher", "3" },   { "val_f1", "", "higher", "3" },
    { "average_precision", "", "higher", "3" }, { "recall@10", "", "higher", "3" }, { "character_error", "", "lower", "1" },
    { "val_kl", "", "lower", "1" },         { "accuracy_loss", "", "lower", "1" },  { "lower", "", "-", "-" },
    { "seconds", "", "-", "-" },            { "beta", "", "-", "-" },               { "learning_rate", "", "-", "-" },
    { "seconds", "--lower seconds", "lower", "1" }, { "loss", "--higher beta,loss", "higher", "3" },
};

START_TEST(the_better_direction_is_told_by_the_name)
{
    char text[128], wanted[128];
    snprintf(text, sizeof text, "epoch,%s\n1,2\n2,1\n3,3\n4,3\n", directions[_i].name);
    program_write("h.csv", text);
    ck_assert_int_eq(program_run("$bin/history show h.csv %s | tail -1 | tr -s ' ' ' '", directions[_i].options), 0);
    snprintf(wanted, sizeof wanted, "%s %s %s %s 3\n", directions[_i].name, directions[_i].better, directions[_i].best,
             directions[_i].best[0] == '-' ? "-" : directions[_i].best[0] == '1' ? "2" : "3");
    expect_output(wanted);
}
END_TEST

/* What a trainer says of its own run, by another way, in run.json. */
START_TEST(a_trainers_history_is_shown_as_it_says_itself)
{
    char wanted[160];
    ck_assert_int_eq(program_run("$bin/fraud --epochs 3 --out r && $bin/history show r --columns val_loss | tail -1 | tr -s ' ' ' '"),
                     0);
    snprintf(wanted, sizeof wanted, " %.5g\n", program_fact("r/run.json", "training.last.val_loss"));
    const char *out = strstr(program_file("out"), "val_loss lower");
    ck_assert_ptr_nonnull(out);
    ck_assert_msg(strcmp(strrchr(out, ' '), wanted) == 0, "%s%s", out, wanted);
}
END_TEST

/* -------------------------------------------------------------------- plot */

START_TEST(a_falling_line_falls_in_plain_ascii)
{
    program_write("h.csv", "epoch,loss\n1,4\n2,3\n3,2\n4,1\n5,0\n");
    ck_assert_int_eq(program_run("LC_ALL=C $bin/history plot h.csv --width 20 --height 7"), 0);
    /* 9 characters across are epochs 1 to 5, two for one; 5 lines down are 4 to 0; between them, up from a half. */
    expect_output("        4 +*\n"
                  "          | **\n"
                  "        2 +   **\n"
                  "          |     **\n"
                  "        0 +       **\n"
                  "          +---------\n"
                  "           1       5\n"
                  "           * loss\n");
}
END_TEST

START_TEST(utf8_draws_in_braille_and_sends_a_pipe_no_control_characters)
{
    program_write("h.csv", "epoch,loss\n1,1\n2,1\n");
    ck_assert_int_eq(program_run("LC_ALL=C.UTF-8 $bin/history plot h.csv --width 20 --height 5"), 0);
    /* Of 12 rows of dots the seventh: the third of the second line's four, both dots of every character. */
    ck_assert_ptr_nonnull(strstr(program_file("out"), "⠤⠤⠤⠤⠤⠤⠤⠤⠤\n"));
    program_write("two.csv", small);
    ck_assert_int_eq(program_run("TERM=xterm LC_ALL=C.UTF-8 $bin/history plot two.csv"), 0);
    ck_assert_ptr_nonnull(strstr(program_file("out"), "● loss\n"));
    ck_assert_ptr_nonnull(strstr(program_file("out"), "○ val_loss\n"));
    for (const char *c = program_file("out"); *c; c++)
        ck_assert_msg((unsigned char)*c >= ' ' || *c == '\n', "control character %d", *c);
}
END_TEST

START_TEST(what_is_no_number_leaves_a_gap)
{
    program_write("h.csv", "epoch,loss\n1,2\n2,2\n3,nan\n4,inf\n5,2\n6,1\n");
    ck_assert_int_eq(program_run("LC_ALL=C $bin/history plot h.csv --width 22 --height 5"), 0);
    ck_assert_str_eq(line_of(program_file("out"), 0), "        2 +***     *");
    expect_error_line("2 values are not finite; left out");
    program_write("none.csv", "epoch,loss\n1,nan\n2,inf\n");
    ck_assert_int_eq(program_run("$bin/history plot none.csv"), 1);
    expect_error_line("none.csv: nothing to draw: no value of \"loss\" is finite");
}
END_TEST

START_TEST(powers_are_a_straight_line_on_a_logarithmic_axis)
{
    program_write("h.csv", "epoch,loss\n1,1000\n2,100\n3,10\n4,1\n");
    ck_assert_int_eq(program_run("LC_ALL=C $bin/history plot h.csv --log --width 21 --height 6"), 0);
    ck_assert_str_eq(line_of(program_file("out"), 0), "          |**");
    ck_assert_str_eq(line_of(program_file("out"), 1), "      100 +  ***");
    ck_assert_str_eq(line_of(program_file("out"), 2), "          |     ***");
    ck_assert_str_eq(line_of(program_file("out"), 3), "        1 +        **");
    program_write("h.csv", "epoch,loss\n1,0.031\n2,0.035\n3,0\n");
    ck_assert_int_eq(program_run("LC_ALL=C $bin/history plot h.csv --log"), 0);
    ck_assert_ptr_nonnull(strstr(program_file("out"), "    0.032 +"));
    expect_error_line("1 value is not finite or not above 0; left out");
}
END_TEST

START_TEST(extreme_values_are_drawn)
{
    program_write("h.csv", "epoch,loss\n1,1e308\n1000000000000000,-1e308\n");
    ck_assert_int_eq(program_run("LC_ALL=C $bin/history plot h.csv --width 31 --height 12"), 0);
    ck_assert_ptr_nonnull(strstr(line_of(program_file("out"), 0), "|*"));
    ck_assert_str_eq(line_of(program_file("out"), 9), "          |                  **");
    program_write("h.csv", "epoch,loss\n7,0\n");
    ck_assert_int_eq(program_run("LC_ALL=C $bin/history plot h.csv"), 0);
    ck_assert_ptr_nonnull(strstr(program_file("out"), "epoch 7\n"));
    program_write("h.csv", "epoch,loss\n1,1e308\n2,2\n9000000000000000,-1e299\n");
    ck_assert_int_eq(program_run("timeout 10 $bin/history compare h.csv --out c.svg"), 0);
    ck_assert_ptr_nonnull(strstr(program_file("c.svg"), "</svg>"));
}
END_TEST

START_TEST(several_files_have_a_legend_of_distinct_names)
{
    program_write("a.csv", small);
    ck_assert_int_eq(program_run("mkdir -p x/fraud y/fraud && cp a.csv x/fraud/history.csv && cp a.csv y/fraud/history.csv && "
                                 "LC_ALL=C $bin/history plot x/fraud y/fraud/history.csv a.csv x/fraud | tail -4"), 0);
    expect_output("           * val_loss, x/fraud\n"
                  "           o val_loss, y/fraud\n"
                  "           + val_loss, a\n"
                  "           x val_loss, x/fraud #2\n");
}
END_TEST

/* ----------------------------------------------------------------- compare */

START_TEST(compare_prints_a_line_for_each_run)
{
    program_write("a.csv", small);
    program_write("b.csv", "epoch,loss,val_loss\n1,9,8\n2,7,6\n");
    ck_assert_int_eq(program_run("$bin/history compare a.csv b.csv"), 0);
    expect_output("run   epochs  best val_loss    epoch     last loss\n"
                  "a          4           1.25        3           0.5\n"
                  "b          2              6        2             7\n");
    ck_assert_int_eq(program_run("$bin/history compare a.csv b.csv --columns val_accuracy"), 0);
    expect_output("run   epochs  best val_accuracy    epoch     last loss\n"
                  "a          4               0.75        2           0.5\n"
                  "b          2                  -        -             7\n");
    expect_error_line("note: b.csv: no column \"val_accuracy\"");
}
END_TEST

START_TEST(compare_draws_svg_and_png)
{
    program_write("a.csv", small);
    program_write("b'<.csv", "epoch,loss,val_loss\n1,9,8\n2,7,nan\n3,7,5\n");
    ck_assert_int_eq(program_run("$bin/history compare a.csv \"b'<.csv\" --columns loss,val_loss --out c.svg"), 0);
    const char *picture = program_file("c.svg");
    ck_assert_ptr_nonnull(strstr(picture, "<svg"));
    ck_assert_ptr_nonnull(strstr(picture, "</svg>"));
    ck_assert_ptr_nonnull(strstr(picture, "a: val_loss"));
    ck_assert_ptr_nonnull(strstr(picture, "b'&lt;: loss"));
    ck_assert_ptr_nonnull(strstr(program_file("out"), "\nc.svg\n"));
    ck_assert(!program_has("c.svg.partial"));
    ck_assert_int_eq(program_run("$bin/history compare a.csv --out c.PNG --log && head -c 8 c.PNG | od -An -tx1"), 0);
    ck_assert_ptr_nonnull(strstr(program_file("out"), "89 50 4e 47 0d 0a 1a 0a"));
}
END_TEST

/* A gnuplot without cairo draws by libgd; one without either, and none at all, are one sentence. */
START_TEST(without_the_means_to_draw_there_is_one_sentence)
{
    program_write("a.csv", small);
    ck_assert_int_eq(program_run("mkdir fake && real=$(command -v gnuplot) && printf '%%s\\n' '#!/bin/sh' 'script=$(cat)' "
                                 "'case $script in *pngcairo*) echo part; exit 1;; *\"terminal $refuse\"*) exit 1;; esac' "
                                 "'printf \"%%s\\n\" \"$script\" | '\"$real\"' -d -' >fake/gnuplot && chmod +x fake/gnuplot && "
                                 "PATH=$PWD/fake:$PATH refuse=none $bin/history compare a.csv --out c.png && "
                                 "head -c 4 c.png | od -An -tx1"), 0);
    ck_assert_ptr_nonnull(strstr(program_file("out"), "89 50 4e 47"));
    ck_assert_int_eq(program_run("rm c.png; PATH=$PWD/fake:$PATH refuse=png $bin/history compare a.csv --out c.png"), 1);
    expect_error_line("c.png: gnuplot draws no PNG here (it has neither pngcairo nor png); try a name in .svg");
    ck_assert(!program_has("c.png"));
    ck_assert_int_eq(program_run("PATH=/none $bin/history compare a.csv --out c.svg"), 1);
    expect_error_line("c.svg: gnuplot is not installed");
    ck_assert(!program_has("c.svg"));
}
END_TEST

/* ------------------------------------------------------------------ errors */

static const struct { const char *arguments, *message; } usage[] = {
    { "", "a command is wanted: show, plot or compare" },
    { "list h.csv", "\"list\" is no command: show, plot or compare is wanted" },
    { "show", "show: a file is wanted, or a folder with a history.csv" },
    { "show h.csv --log", "--log has no meaning for show" },
    { "plot h.csv --all", "--all has no meaning for plot" },
    { "plot h.csv --out c.svg", "--out has no meaning for plot" },
    { "plot h.csv --height 4", "--height: \"4\" is not a whole number from 5 to 1000" },
    { "compare h.csv --width 80", "--width has no meaning for compare" },
    { "compare h.csv --out c.jpg", "--out: \"c.jpg\" ends neither in .svg nor in .png" },
    { "show h.csv --columns loss,,x", "--columns: \"" },
    { "show h.csv --lower a,b --higher b", "--lower and --higher: both have \"b\"" },
    { "show h.csv --colums loss", "unrecognized option '--colums'" },
};

START_TEST(a_wrong_command_line_is_exit_2)
{
    program_write("h.csv", small);
    ck_assert_int_eq(program_run("LC_ALL=C $bin/history %s", usage[_i].arguments), 2);
    ck_assert_msg(strstr(program_file("err"), usage[_i].message) != NULL, "%s", program_file("err"));
    ck_assert_str_eq(program_file("out"), "");
}
END_TEST

static const struct { const char *content, *command, *message; } wrong[] = {
    { small, "show none.csv", "history: none.csv: cannot be opened: No such file or directory" },
    { small, "show .", "/history.csv: cannot be opened: No such file or directory" },
    { "", "show h.csv", "history: h.csv: no epoch is in it yet" },
    { "epoch,loss\n", "plot h.csv", "history: h.csv: no epoch is in it yet" },
    { "epoch,loss\n1,0.5\n2,0.4,3\n", "compare h.csv", "history: h.csv:3: 3 cells, the header has 2" },
    { "{\"epoch\": 1, \"loss\": 1}\n{\"epoch\": 2, \"loss\": x}\n", "show h.csv", "history: h.csv:2: " },
    { "\x01\x02garbage\n", "show h.csv", "history: h.csv:1: " },
    { small, "show h.csv --columns los", "history: h.csv: the history has no column \"los\", did you mean \"loss\"?" },
    { "epoch\n1\n", "plot h.csv", "history: h.csv: no column but the epochs" },
    { "epoch,loss\n1,-1\n", "compare h.csv --log --out c.svg", "c.svg: nothing to draw: no value of \"loss\" is finite and above 0" },
    { small, "compare h.csv --out no/c.svg", "history: no/c.svg: cannot be written: No such file or directory" },
    { small, "compare h.csv --out full.svg", "history: full.svg: cannot be written: No space left on device" },
    { small, "show h.csv >/dev/full", "history: standard output: No space left on device" },
};

START_TEST(anything_else_that_is_wrong_is_exit_1_and_one_line)
{
    program_write("h.csv", wrong[_i].content);
    ck_assert_int_eq(program_run("ln -s /dev/full full.svg; LC_ALL=C $bin/history %s", wrong[_i].command), 1);
    expect_error_line(wrong[_i].message);
}
END_TEST

START_TEST(control_characters_of_a_wrong_file_do_not_reach_the_terminal)
{
    program_write("h.csv", "epoch,\033[31mloss\n1,2\n");
    ck_assert_int_eq(program_run("$bin/history show h.csv"), 1);
    ck_assert_ptr_null(strchr(program_file("err"), '\033'));
    program_write("h.csv", small);
    ck_assert_int_eq(program_run("cp h.csv \"$(printf 'a\\033b.csv')\" && $bin/history show a*b.csv"), 0);
    ck_assert_int_eq(strncmp(program_file("out"), "a?b: 4 epochs", 13), 0);
}
END_TEST

START_TEST(a_file_that_grows_is_read_up_to_its_last_whole_line)
{
    program_write("h.csv", "epoch,loss\n1,2\n2,1\n3,0.");
    ck_assert_int_eq(program_run("$bin/history compare h.csv"), 0);
    ck_assert_str_eq(line_of(program_file("out"), 1), "h          2             1        2             1");
    expect_error_line("note: h.csv:4: the last line is not whole yet and is left out");
    program_write("new.csv", "");
    ck_assert_int_eq(program_run("$bin/history compare new.csv h.csv"), 0); /* among others, a run that has just begun */
    ck_assert_uint_eq(count_lines(program_file("out")), 2);
    ck_assert_ptr_nonnull(strstr(program_file("err"), "note: new.csv: no epoch is in it yet; left out\n"));
}
END_TEST

START_TEST(a_reader_that_leaves_is_no_error)
{
    write_long("long.csv", 5000, 2500);
    ck_assert_int_eq(program_run("$bin/history show --all long.csv | head -1"), 0);
    expect_output("long: 5000 epochs, 2 columns\n");
    ck_assert_str_eq(program_file("err"), "");
}
END_TEST

START_TEST(help_states_the_rule_and_gives_examples)
{
    ck_assert_int_eq(program_run("$bin/history --help"), 0);
    ck_assert_ptr_nonnull(strstr(program_file("out"), "history compare runs/fraud runs/fraud-2 --out compare.svg"));
    ck_assert_ptr_nonnull(strstr(program_file("out"), "Which value of a column is best"));
    ck_assert_int_eq(program_run("$bin/history --version"), 0);
}
END_TEST

Suite *history_program_suite(void)
{
    Suite *suite = suite_create("history_program");
    TCase *tests = tcase_create("history_program");
    tcase_set_timeout(tests, 20);
    tcase_add_checked_fixture(tests, program_setup, program_teardown);
    tcase_add_test(tests, show_prints_the_epochs_and_the_best_of_each_column);
    tcase_add_test(tests, json_lines_folders_and_pipes_give_the_same);
    tcase_add_test(tests, columns_can_be_chosen_and_fit_the_width);
    tcase_add_test(tests, a_long_run_is_cut_in_the_middle_but_for_the_best);
    tcase_add_loop_test(tests, the_better_direction_is_told_by_the_name, 0, sizeof directions / sizeof *directions);
    tcase_add_test(tests, a_trainers_history_is_shown_as_it_says_itself);
    tcase_add_test(tests, a_falling_line_falls_in_plain_ascii);
    tcase_add_test(tests, utf8_draws_in_braille_and_sends_a_pipe_no_control_characters);
    tcase_add_test(tests, what_is_no_number_leaves_a_gap);
    tcase_add_test(tests, powers_are_a_straight_line_on_a_logarithmic_axis);
    tcase_add_test(tests, extreme_values_are_drawn);
    tcase_add_test(tests, several_files_have_a_legend_of_distinct_names);
    tcase_add_test(tests, compare_prints_a_line_for_each_run);
    tcase_add_test(tests, compare_draws_svg_and_png);
    tcase_add_test(tests, without_the_means_to_draw_there_is_one_sentence);
    tcase_add_loop_test(tests, a_wrong_command_line_is_exit_2, 0, sizeof usage / sizeof *usage);
    tcase_add_loop_test(tests, anything_else_that_is_wrong_is_exit_1_and_one_line, 0, sizeof wrong / sizeof *wrong);
    tcase_add_test(tests, control_characters_of_a_wrong_file_do_not_reach_the_terminal);
    tcase_add_test(tests, a_file_that_grows_is_read_up_to_its_last_whole_line);
    tcase_add_test(tests, a_reader_that_leaves_is_no_error);
    tcase_add_test(tests, help_states_the_rule_and_gives_examples);
    suite_add_tcase(suite, tests);
    return suite;
}
