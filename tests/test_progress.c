/* The progress line, on a terminal (a pseudo-terminal whose screen is kept here) and in a pipe. */
#include "fail_alloc.h"
#include "train/progress.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

/* ------------------------------------------------------------ the terminal */

#define ROWS 16
#define COLUMNS 400

static struct {
    int master;
    FILE *slave;
    char raw[1 << 16], screen[ROWS][COLUMNS];
    size_t bytes, row, column, widest;
} terminal;

static void open_terminal(unsigned short width)
{
    memset(&terminal, 0, sizeof terminal);
    terminal.master = posix_openpt(O_RDWR | O_NOCTTY);
    ck_assert_int_ge(terminal.master, 0);
    ck_assert_int_eq(grantpt(terminal.master), 0);
    ck_assert_int_eq(unlockpt(terminal.master), 0);
    terminal.slave = fopen(ptsname(terminal.master), "w");
    ck_assert_ptr_nonnull(terminal.slave);
    struct termios raw;
    ck_assert_int_eq(tcgetattr(fileno(terminal.slave), &raw), 0);
    cfmakeraw(&raw);
    ck_assert_int_eq(tcsetattr(fileno(terminal.slave), TCSANOW, &raw), 0);
    ck_assert_int_eq(ioctl(terminal.master, TIOCSWINSZ, &(struct winsize){ .ws_row = ROWS, .ws_col = width }), 0);
    fcntl(terminal.master, F_SETFL, O_NONBLOCK);
    setenv("TERM", "xterm", 1);
}

static void type(char c)
{
    if (c == '\r')
        terminal.column = 0;
    else if (c == '\n') {
        terminal.row++;
        terminal.column = 0;
    } else {
        ck_assert_msg((unsigned char)c >= ' ', "control character %d", c);
        terminal.screen[terminal.row][terminal.column++] = c;
        terminal.widest = terminal.column > terminal.widest ? terminal.column : terminal.widest;
    }
    ck_assert(terminal.row < ROWS && terminal.column < COLUMNS);
}

/* Takes what was written to the screen, and returns that row of it without trailing spaces. */
static const char *row_of_screen(size_t row)
{
    char bytes[4096];
    ssize_t got;
    while ((got = read(terminal.master, bytes, sizeof bytes)) > 0) {
        ck_assert_uint_lt(terminal.bytes + (size_t)got, sizeof terminal.raw);
        memcpy(terminal.raw + terminal.bytes, bytes, (size_t)got);
        terminal.bytes += (size_t)got;
        for (ssize_t i = 0; i < got; i++)
            type(bytes[i]);
    }
    char *text = terminal.screen[row];
    size_t length = strlen(text);
    while (length > 0 && text[length - 1] == ' ')
        text[--length] = '\0';
    /* How long the test itself was held up is no matter: any time left reads "0s". */
    char *eta = strstr(text, "ETA: ");
    if (eta) {
        const size_t digits = strspn(eta + 5, "0123456789:");
        memmove(eta + 6, eta + 5 + digits, strlen(eta + 5 + digits) + 1);
        eta[5] = '0';
    }
    return text;
}

static void close_terminal(void)
{
    fclose(terminal.slave);
    close(terminal.master);
}

static const char *const names[] = { "loss", "accuracy", "val_loss" };

START_TEST(a_terminal_shows_a_bar_that_fills)
{
    open_terminal(120);
    lg_progress *progress = lg_progress_new(terminal.slave, LG_VERBOSE_AUTO, 5);
    lg_progress_epoch(progress, 1, 1425);
    ck_assert_str_eq(row_of_screen(0), "Epoch 1/5");
    ck_assert(lg_progress_due(progress, 1));
    lg_progress_draw(progress, 1, 2, names, (double[]){ 0.6931, 0.5 });
    ck_assert_ptr_nonnull(strstr(row_of_screen(1), "   1/1425 [..............................] - ETA: "));
    lg_progress_draw(progress, 713, 2, names, (double[]){ 0.121, 0.99648 });
    const char *line = row_of_screen(1);
    ck_assert_msg(strncmp(line, " 713/1425 [==============>...............] - ETA: 0s - loss: 0.1210 - accuracy: 0.9965",
                          200) == 0, "%s", line);
    ck_assert_str_eq(row_of_screen(2), "");
    lg_progress_done(progress, 1.2, 512e-6, 3, names, (double[]){ 0.0834, 0.9972, 0.00071234 });
    ck_assert_str_eq(row_of_screen(1), "1425/1425 [==============================] - 1s 512us/step - loss: 0.0834 - "
                                       "accuracy: 0.9972 - val_loss: 7.1234e-04");
    lg_progress_epoch(progress, 2, 1425);
    ck_assert_str_eq(row_of_screen(2), "Epoch 2/5");
    lg_progress_free(progress);
    close_terminal();
}
END_TEST

START_TEST(a_shorter_line_leaves_nothing_of_a_longer_one)
{
    open_terminal(200);
    lg_progress *progress = lg_progress_new(terminal.slave, LG_PROGRESS, 1);
    lg_progress_epoch(progress, 1, 10);
    lg_progress_due(progress, 1);
    lg_progress_draw(progress, 5, 3, names, (double[]){ 123456.5, 0.99648, 1 });
    lg_progress_done(progress, 0.2, 2e-2, 1, names, (double[]){ 0.5 });
    ck_assert_str_eq(row_of_screen(1), "10/10 [==============================] - 0s 20ms/step - loss: 0.5000");
    lg_progress_free(progress);
    close_terminal();
}
END_TEST

START_TEST(a_line_in_progress_is_cut_to_the_terminal)
{
    open_terminal(40);
    lg_progress *progress = lg_progress_new(terminal.slave, LG_PROGRESS, 1);
    lg_progress_epoch(progress, 1, 10);
    lg_progress_draw(progress, 5, 3, names, (double[]){ 0.5, 0.5, 0.5 });
    row_of_screen(0);
    ck_assert_uint_eq(terminal.widest, 39);
    const char *wide[] = { "\xC3\xA4\xC3\xB6\xC3\xBC\xC3\xA4\xC3\xB6\xC3\xBC" }; /* 6 letters in 12 bytes */
    ck_assert_int_eq(ioctl(terminal.master, TIOCSWINSZ, &(struct winsize){ .ws_row = 9, .ws_col = 55 }), 0);
    memset(terminal.screen, 0, sizeof terminal.screen);
    lg_progress_draw(progress, 5, 1, wide, (double[]){ 0.5 });
    const char *line = row_of_screen(1);
    ck_assert_msg(strstr(line, "- \xC3\xA4\xC3\xB6\xC3\xBC") && (line[strlen(line) - 1] & 0xC0) == 0x80, "%s", line);
    lg_progress_free(progress);
    close_terminal();
}
END_TEST

START_TEST(a_broken_line_is_ended_before_what_follows)
{
    open_terminal(100);
    lg_progress *progress = lg_progress_new(terminal.slave, LG_PROGRESS, 1);
    lg_progress_break(progress);
    ck_assert_str_eq(row_of_screen(0), "");
    lg_progress_epoch(progress, 1, 4);
    lg_progress_due(progress, 1);
    lg_progress_draw(progress, 2, 1, names, (double[]){ NAN });
    lg_progress_break(progress);
    lg_progress_break(progress);
    fputs("error", terminal.slave);
    fflush(terminal.slave);
    ck_assert_str_eq(row_of_screen(1), "2/4 [==============>...............] - ETA: 0s - loss: nan");
    ck_assert_str_eq(row_of_screen(2), "error");
    lg_progress_free(progress);
    close_terminal();
}
END_TEST

/* Of many epochs that take no time, the first and the last stand on the screen; one that lasts is shown while it
 * runs. Should the machine be held up, a few more are shown. */
START_TEST(short_epochs_of_many_are_left_out)
{
    open_terminal(100);
    lg_progress *progress = lg_progress_new(terminal.slave, LG_PROGRESS, 150);
    size_t shown = 0;
    for (size_t epoch = 1; epoch < 150; epoch++) {
        lg_progress_epoch(progress, epoch, 2);
        for (size_t step = 1; step <= 2; step++)
            if (lg_progress_due(progress, step)) {
                lg_progress_draw(progress, step, 1, names, (double[]){ 0.5 });
                shown++;
            }
        lg_progress_done(progress, 0, 1e-6, 1, names, (double[]){ 0.5 });
    }
    ck_assert_str_eq(row_of_screen(0), "Epoch 1/150");
    ck_assert_uint_ge(shown, 1);
    ck_assert_uint_le(shown, 5);
    lg_progress_epoch(progress, 150, 2);
    ck_assert(lg_progress_due(progress, 1));
    lg_progress_free(progress);
    close_terminal();
}
END_TEST

START_TEST(a_long_epoch_of_many_shows_its_bar)
{
    open_terminal(100);
    lg_progress *progress = lg_progress_new(terminal.slave, LG_PROGRESS, 1000);
    lg_progress_epoch(progress, 1, 2);
    lg_progress_done(progress, 0, 1e-6, 1, names, (double[]){ 0.5 });
    lg_progress_epoch(progress, 2, 2);
    ck_assert_str_eq(row_of_screen(2), "");
    usleep(110000);
    ck_assert(lg_progress_due(progress, 1));
    ck_assert_str_eq(row_of_screen(2), "Epoch 2/1000");
    lg_progress_draw(progress, 1, 1, names, (double[]){ 0.5 });
    ck_assert_ptr_nonnull(strstr(row_of_screen(3), "1/2 [==============>"));
    lg_progress_free(progress);
    close_terminal();
}
END_TEST

START_TEST(redraws_are_rare)
{
    open_terminal(100);
    lg_progress *progress = lg_progress_new(terminal.slave, LG_PROGRESS, 1);
    lg_progress_epoch(progress, 1, 100000);
    size_t drawn = 0;
    for (size_t step = 1; step <= 100000; step++)
        if (lg_progress_due(progress, step)) {
            lg_progress_draw(progress, step, 1, names, (double[]){ 1 });
            drawn++;
        }
    ck_assert_uint_ge(drawn, 1);
    ck_assert_uint_le(drawn, 200); /* 12 s of drawing: far more than these steps take under any tool */
    lg_progress_free(progress);
    close_terminal();
}
END_TEST

/* ----------------------------------------------------------------- plain */

static char *plain_text;
static size_t plain_bytes;

/* What two epochs write on a stream. */
static void run_two_epochs(FILE *stream, lg_verbose verbose)
{
    lg_progress *progress = lg_progress_new(stream, verbose, 2);
    ck_assert_ptr_nonnull(progress);
    for (size_t epoch = 1; epoch <= 2; epoch++) {
        lg_progress_epoch(progress, epoch, 3);
        for (size_t step = 1; step <= 3; step++)
            if (lg_progress_due(progress, step))
                lg_progress_draw(progress, step, 1, names, (double[]){ 1 });
        lg_progress_done(progress, 12.4 * (double)epoch, 1.5, 3, names, (double[]){ 0.25, 0, -1e-3 });
    }
    lg_progress_free(progress);
}

#define TWO_LINES                                                                                                      \
    "Epoch 1/2 - 12s 2s/step - loss: 0.2500 - accuracy: 0.0000e+00 - val_loss: -1.0000e-03\n"                          \
    "Epoch 2/2 - 25s 2s/step - loss: 0.2500 - accuracy: 0.0000e+00 - val_loss: -1.0000e-03\n"

START_TEST(a_pipe_gets_one_plain_line_per_epoch)
{
    int ends[2];
    char text[4096] = "";
    ck_assert_int_eq(pipe(ends), 0);
    FILE *stream = fdopen(ends[1], "w");
    run_two_epochs(stream, (lg_verbose[]){ LG_VERBOSE_AUTO, LG_PROGRESS, LG_LINES }[_i]);
    fclose(stream);
    ck_assert_int_gt(read(ends[0], text, sizeof text - 1), 0);
    close(ends[0]);
    ck_assert_str_eq(text, TWO_LINES);
}
END_TEST

START_TEST(a_stream_in_memory_gets_plain_lines)
{
    FILE *stream = open_memstream(&plain_text, &plain_bytes);
    run_two_epochs(stream, LG_VERBOSE_AUTO);
    fclose(stream);
    ck_assert_str_eq(plain_text, TWO_LINES);
    free(plain_text);
}
END_TEST

START_TEST(a_dumb_terminal_and_lines_get_no_control_characters)
{
    open_terminal(100);
    if (_i == 0)
        setenv("TERM", "dumb", 1);
    run_two_epochs(terminal.slave, _i == 0 ? LG_PROGRESS : LG_LINES);
    row_of_screen(0);
    ck_assert_str_eq(terminal.raw, TWO_LINES);
    close_terminal();
}
END_TEST

static size_t lines_of_many_epochs(lg_verbose verbose, bool *first, bool *last)
{
    FILE *stream = open_memstream(&plain_text, &plain_bytes);
    lg_progress *progress = lg_progress_new(stream, verbose, 150);
    for (size_t epoch = 1; epoch <= 150; epoch++) {
        lg_progress_epoch(progress, epoch, 1);
        lg_progress_done(progress, 0, 1e-6, 1, names, (double[]){ 0.5 });
    }
    lg_progress_free(progress);
    fclose(stream);
    size_t lines = 0;
    for (const char *c = plain_text; *c; c++)
        lines += *c == '\n';
    *first = strncmp(plain_text, "Epoch 1/150 - ", 14) == 0;
    *last = strstr(plain_text, "\nEpoch 150/150 - ") != NULL;
    free(plain_text);
    return lines;
}

START_TEST(short_epochs_of_many_are_left_out_of_a_file_unless_lines_are_wanted)
{
    bool first, last;
    const size_t lines = lines_of_many_epochs(LG_PROGRESS, &first, &last);
    ck_assert(first && last && lines >= 2 && lines <= 20);
    ck_assert_uint_eq(lines_of_many_epochs(LG_LINES, &first, &last), 150);
    ck_assert(first && last);
}
END_TEST

START_TEST(silence_is_silent)
{
    open_terminal(100);
    run_two_epochs(terminal.slave, LG_SILENT);
    row_of_screen(0);
    ck_assert_uint_eq(terminal.bytes, 0);
    close_terminal();
}
END_TEST

START_TEST(a_stream_that_is_full_is_no_error)
{
    FILE *full = fopen("/dev/full", "w");
    ck_assert_ptr_nonnull(full);
    lg_error_clear();
    run_two_epochs(full, LG_LINES);
    ck_assert_int_eq(lg_error_code(), LG_OK);
    fclose(full);
}
END_TEST

START_TEST(nothing_but_the_making_allocates)
{
    open_terminal(100);
    fputs("", terminal.slave);
    fail_alloc_at(1);
    lg_progress *none = lg_progress_new(terminal.slave, LG_PROGRESS, 1);
    fail_alloc_at(0);
    lg_progress *progress = lg_progress_new(terminal.slave, LG_PROGRESS, 1);
    lg_progress_epoch(progress, 1, 2);
    lg_progress_due(progress, 1);
    lg_progress_draw(progress, 1, 3, names, (double[]){ 1, 2, 3 });
    lg_progress_done(progress, 1, 1, 3, names, (double[]){ 1, 2, 3 });
    lg_progress_free(progress);
    fail_alloc_off();
    ck_assert_ptr_null(none);
    ck_assert_uint_eq(fail_alloc_count(), 1);
    ck_assert_uint_eq(fail_alloc_live(), 0);
    close_terminal();
    ck_assert_ptr_null(lg_progress_new(NULL, (lg_verbose)4, 1));
    ck_assert_int_eq(lg_error_code(), LG_E_PARAM);
}
END_TEST

Suite *progress_suite(void)
{
    Suite *suite = suite_create("progress");
    TCase *bar = tcase_create("terminal");
    tcase_add_test(bar, a_terminal_shows_a_bar_that_fills);
    tcase_add_test(bar, a_shorter_line_leaves_nothing_of_a_longer_one);
    tcase_add_test(bar, a_line_in_progress_is_cut_to_the_terminal);
    tcase_add_test(bar, a_broken_line_is_ended_before_what_follows);
    tcase_add_test(bar, short_epochs_of_many_are_left_out);
    tcase_add_test(bar, a_long_epoch_of_many_shows_its_bar);
    tcase_add_test(bar, redraws_are_rare);
    suite_add_tcase(suite, bar);
    TCase *plain = tcase_create("plain");
    tcase_add_loop_test(plain, a_pipe_gets_one_plain_line_per_epoch, 0, 3);
    tcase_add_test(plain, a_stream_in_memory_gets_plain_lines);
    tcase_add_loop_test(plain, a_dumb_terminal_and_lines_get_no_control_characters, 0, 2);
    tcase_add_test(plain, short_epochs_of_many_are_left_out_of_a_file_unless_lines_are_wanted);
    tcase_add_test(plain, silence_is_silent);
    tcase_add_test(plain, a_stream_that_is_full_is_no_error);
    tcase_add_test(plain, nothing_but_the_making_allocates);
    suite_add_tcase(suite, plain);
    return suite;
}
