#include "history_runs.h"

#include <ctype.h>
#include <errno.h>
#include <langinfo.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

/* ------------------------------------------------------------------ labels */

/* The last `parts` parts of a path, without the end of a file's name; "history" says nothing and is left out. */
static char *label_of(const char *path, size_t parts)
{
    const bool input = strcmp(path, "/dev/stdin") == 0;
    char *whole = input ? strdup("stdin") : strchr(path, '/') ? strdup(path) : realpath(path, NULL), *label;
    if (!whole)
        return NULL;
    char *slash = strrchr(whole, '/'), *name = slash ? slash + 1 : whole, *dot = strrchr(name, '.');
    if (dot && dot != name)
        *dot = '\0';
    if (slash && strcmp(name, "history") == 0)
        *slash = '\0';
    char *start = whole + strlen(whole);
    for (; start > whole && parts > 0; start--)
        parts -= start[-1] == '/';
    label = strdup(parts == 0 && *start == '/' ? start + 1 : start);
    for (char *c = label; c && *c; c++)
        if ((unsigned char)*c < ' ' || *c == 127)
            *c = '?';
    free(whole);
    return label;
}

static bool same_file(const char *one, const char *other)
{
    struct stat a, b;
    return stat(one, &a) == 0 && stat(other, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/* Longer labels for those that are the same, until no path is longer; what is the same then, as a file that was given
 * twice is, gets a number. */
static lg_status make_labels(history_runs *all)
{
    const size_t most_parts = 64;
    for (size_t parts = 1; parts <= most_parts; parts++) {
        bool same = false;
        for (size_t i = 0; i < all->count; i++) {
            bool mine = parts == 1;
            for (size_t k = 0; k < all->count && parts > 1; k++)
                mine |= strcmp(all->runs[k].label, all->runs[i].label) == 0 &&
                        !same_file(all->runs[k].path, all->runs[i].path);
            all->runs[i].rows = mine; /* for the moment: whether it gets a new one */
            same |= mine;
        }
        for (size_t i = 0; i < all->count; i++)
            if (all->runs[i].rows) {
                free(all->runs[i].label);
                if (!(all->runs[i].label = label_of(all->runs[i].path, parts)))
                    return lg_fail(LG_E_MEMORY, "out of memory for names");
            }
        if (!same)
            break;
    }
    for (size_t i = 0; i < all->count; i++) {
        size_t number = 1;
        for (size_t k = i + 1; k < all->count; k++)
            if (strcmp(all->runs[k].label, all->runs[i].label) == 0) {
                char *longer;
                if (asprintf(&longer, "%s #%zu", all->runs[k].label, ++number) < 0)
                    return lg_fail(LG_E_MEMORY, "out of memory for names");
                free(all->runs[k].label);
                all->runs[k].label = longer;
            }
    }
    return LG_OK;
}

/* ----------------------------------------------------------------- reading */

/* A path of one's own: of a folder the history in it. "." and the like become names. */
static char *find_file(const char *file)
{
    struct stat about;
    char *path = NULL, *folder;
    if (strcmp(file, "-") == 0)
        return strdup("/dev/stdin");
    if (stat(file, &about) < 0 || !S_ISDIR(about.st_mode))
        return strdup(file);
    folder = strdup(file);
    for (size_t bytes = folder ? strlen(folder) : 0; bytes > 1 && folder[bytes - 1] == '/'; bytes--)
        folder[bytes - 1] = '\0';
    const char *slash = folder ? strrchr(folder, '/') : NULL;
    if (folder && *(slash ? slash + 1 : folder) == '.') {
        free(folder);
        folder = realpath(file, NULL);
    }
    if (!folder || asprintf(&path, "%s/history.csv", folder) < 0)
        path = NULL;
    if (path && access(path, F_OK) != 0) {
        char *lines;
        if (asprintf(&lines, "%s/history.jsonl", folder) >= 0) {
            if (access(lines, F_OK) == 0) {
                free(path);
                path = lines;
            } else {
                free(lines);
            }
        }
    }
    free(folder);
    return path;
}

static lg_status read_run(history_run *run, const char *file)
{
    size_t half;
    if (!(run->path = find_file(file)))
        return lg_fail(LG_E_MEMORY, "%s: out of memory", file);
    run->history = lg_history_read_growing(run->path, &half);
    if (!run->history)
        return lg_error_code();
    if (half)
        fprintf(stderr, "%s: note: %s:%zu: the last line is not whole yet and is left out\n",
                program_invocation_short_name, run->path, half);
    return LG_OK;
}

static void free_run(history_run *run)
{
    lg_history_free(run->history);
    free(run->path);
    free(run->label);
}

/* Takes away the runs without epochs. */
static lg_status drop_empty(history_runs *all)
{
    size_t kept = 0;
    for (size_t i = 0; i < all->count; i++)
        kept += lg_history_rows(all->runs[i].history) > 0;
    if (kept == 0)
        return lg_fail(LG_E_FORMAT, "%s: no epoch is in it yet", all->runs[0].path);
    kept = 0;
    for (size_t i = 0; i < all->count; i++) {
        history_run run = all->runs[i];
        if (lg_history_rows(run.history) > 0) {
            all->runs[kept++] = run;
            continue;
        }
        fprintf(stderr, "%s: note: %s: no epoch is in it yet; left out\n", program_invocation_short_name, run.path);
        free_run(&run);
    }
    all->count = kept;
    return LG_OK;
}

lg_status history_runs_read(history_runs *all, size_t count, const char *const *files)
{
    *all = (history_runs){ .runs = calloc(count, sizeof *all->runs) };
    lg_status status = all->runs ? LG_OK : lg_fail(LG_E_MEMORY, "out of memory for %zu histories", count);
    for (size_t i = 0; i < count && status == LG_OK; i++)
        status = read_run(&all->runs[all->count++], files[i]);
    if (status == LG_OK)
        status = drop_empty(all);
    if (status == LG_OK)
        status = make_labels(all);
    for (size_t i = 0; i < all->count && status == LG_OK; i++)
        all->runs[i].rows = lg_history_rows(all->runs[i].history);
    if (status != LG_OK)
        history_runs_free(all);
    return status;
}

void history_runs_free(history_runs *all)
{
    for (size_t i = 0; i < all->count; i++)
        free_run(&all->runs[i]);
    free(all->runs);
    *all = (history_runs){ 0 };
}

/* ----------------------------------------------------------------- columns */

static size_t having(const history_runs *all, const char *column)
{
    size_t count = 0;
    for (size_t i = 0; i < all->count; i++)
        count += lg_history_has(all->runs[i].history, column);
    return count;
}

lg_status history_runs_check(const history_runs *all, size_t count, const char *const *columns)
{
    for (size_t c = 0; c < count; c++)
        if (having(all, columns[c]) == 0) {
            (void)lg_history_column(all->runs[0].history, columns[c], NULL); /* for its message */
            char reason[512];
            snprintf(reason, sizeof reason, "%s", lg_error());
            return lg_fail(LG_E_PARAM, "%s: %s", all->runs[0].path, reason);
        }
    for (size_t c = 0; c < count; c++)
        for (size_t i = 0; i < all->count; i++)
            if (!lg_history_has(all->runs[i].history, columns[c]))
                fprintf(stderr, "%s: note: %s: no column \"%s\"\n", program_invocation_short_name, all->runs[i].path,
                        columns[c]);
    return LG_OK;
}

const char *history_runs_column(const history_runs *all)
{
    if (having(all, "val_loss") == all->count)
        return "val_loss";
    return having(all, "loss") ? "loss" : lg_history_column_name(all->runs[0].history, 1);
}

const double *history_values(const history_run *run, const char *column)
{
    return lg_history_has(run->history, column) ? lg_history_column(run->history, column, NULL) : NULL;
}

const char history_better_rule[] =
    "Which value of a column is best: the lowest where the name has a word that ends in \"loss\" or \"error\", or one of "
    "reconstruction, kl, nll, mae, mse, rmse, cer, wer, eer, perplexity, objective, violations, crossings; otherwise the "
    "highest where it has one of accuracy, acc, auc, precision, recall, f1, iou, dice, r2, exact, psnr, ssim, bleu; of any "
    "other nobody knows. --lower and --higher say so for columns by name.";

/* Whether a word of `length` is one of `words`, which are divided by blanks. */
static bool is_one_of(const char *word, size_t length, const char *words)
{
    for (; *words; words += strspn(words, " ")) {
        const size_t bytes = strcspn(words, " ");
        if (bytes == length && strncasecmp(words, word, length) == 0)
            return true;
        words += bytes;
    }
    return false;
}

static bool ends_in(const char *word, size_t length, const char *end)
{
    const size_t bytes = strlen(end);
    return length >= bytes && strncasecmp(word + length - bytes, end, bytes) == 0;
}

static bool is_named(const char *const *names, const char *name)
{
    for (; names && *names; names++)
        if (strcmp(*names, name) == 0)
            return true;
    return false;
}

history_better history_better_of(const char *column, const char *const *lower, const char *const *higher)
{
    if (is_named(lower, column))
        return HISTORY_LOWER;
    if (is_named(higher, column))
        return HISTORY_HIGHER;
    bool high = false;
    for (const char *word = column; *word;) {
        size_t length = 0;
        while (isalnum((unsigned char)word[length]))
            length++;
        if (ends_in(word, length, "loss") || ends_in(word, length, "error") ||
            is_one_of(word, length, "reconstruction kl nll mae mse rmse cer wer eer perplexity objective violations "
                                    "crossings"))
            return HISTORY_LOWER;
        high |= is_one_of(word, length, "accuracy acc auc precision recall f1 iou dice r2 exact psnr ssim bleu");
        word += length + (word[length] != '\0');
    }
    return high ? HISTORY_HIGHER : HISTORY_UNKNOWN;
}

bool history_best(const history_run *run, const char *column, history_better better, size_t *row)
{
    const double *values = history_values(run, column);
    bool found = false;
    for (size_t i = 0; values && better != HISTORY_UNKNOWN && i < run->rows; i++)
        if (!isnan(values[i]) &&
            (!found || (better == HISTORY_LOWER ? values[i] < values[*row] : values[i] > values[*row]))) {
            *row = i;
            found = true;
        }
    return found;
}

/* ---------------------------------------------------------------- terminal */

/* Bytes 10xxxxxx go on with a character that has begun. */
size_t history_width(const char *text)
{
    size_t width = 0;
    for (; *text; text++)
        width += ((unsigned char)*text & 0xC0) != 0x80;
    return width;
}

void history_pad(const char *text, int width)
{
    const int blanks = abs(width) - (int)history_width(text);
    printf("%*s%s%*s", width > 0 && blanks > 0 ? blanks : 0, "", text, width < 0 && blanks > 0 ? blanks : 0, "");
}

void history_terminal(size_t *columns, size_t *rows)
{
    struct winsize size;
    if (isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0) {
        *columns = size.ws_col;
        *rows = size.ws_row;
    }
}

bool history_utf8(void)
{
    return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}
