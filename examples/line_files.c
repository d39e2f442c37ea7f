#include "line_files.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

struct line_files {
    const char *images, *texts; /* paths, for messages */
    lg_dataset *data;
    lg_real *pixels;            /* [rows, height, width] */
    size_t rows, height, width;
    size_t *widths;             /* of each line, without the empty end */
    uint32_t *characters;       /* of all lines; then their classes */
    size_t count, capacity;
    size_t *start;              /* [rows + 1]: where a line's characters begin */
    size_t line;                /* lines of text so far */
};

void line_files_free(line_files *files)
{
    if (!files)
        return;
    lg_dataset_free(files->data);
    free(files->widths);
    free(files->characters);
    free(files->start);
    free(files);
}

/* ------------------------------------------------------------------ images */

static int compare_reals(const void *a, const void *b)
{
    const lg_real x = *(const lg_real *)a, y = *(const lg_real *)b;
    return (x > y) - (x < y);
}

/* The median of at most some ten thousand pixels, evenly spread. */
static lg_status find_paper(const lg_real *pixels, size_t count, lg_real *paper)
{
    const size_t step = count / 10007 + 1, taken = (count + step - 1) / step;
    lg_real *sample = calloc(taken, sizeof *sample);
    if (!sample)
        return lg_fail(LG_E_MEMORY, "out of memory for %zu pixels", taken);
    for (size_t i = 0; i < taken; i++)
        sample[i] = pixels[i * step];
    qsort(sample, taken, sizeof *sample, compare_reals);
    *paper = sample[taken / 2];
    free(sample);
    return LG_OK;
}

static lg_status scale_pixels(line_files *files)
{
    const size_t count = files->rows * files->height * files->width;
    lg_real paper = 0, most = 0;
    lg_status status = find_paper(files->pixels, count, &paper);
    if (status != LG_OK)
        return status;
    for (size_t i = 0; i < count; i++) {
        files->pixels[i] = (lg_real)fabs((double)(files->pixels[i] - paper));
        most = files->pixels[i] > most ? files->pixels[i] : most;
    }
    if (most == 0)
        return lg_fail(LG_E_FORMAT, "%s: every pixel of every image is %g; there is nothing to read", files->images,
                       (double)paper);
    for (size_t i = 0; i < count; i++)
        files->pixels[i] /= most;
    return LG_OK;
}

static bool is_empty(const line_files *files, size_t row, size_t column)
{
    const lg_real *image = files->pixels + row * files->height * files->width;
    for (size_t y = 0; y < files->height; y++)
        if (image[y * files->width + column] >= (lg_real)0.1)
            return false;
    return true;
}

static lg_status read_images(line_files *files)
{
    files->data = lg_dataset_read(files->images, &(lg_read_options){ .unit_bytes = true });
    const lg_field *x = lg_dataset_field(files->data, "x");
    if (!files->data)
        return lg_error_code();
    const bool one = x->rank == 1 && !files->texts; /* the rows are those of a single picture */
    if ((x->rank < 2 && !one) || x->rank > 3 || (x->rank == 3 && x->dims[2] != 1))
        return lg_fail(LG_E_SHAPE, "%s: lines are images, IDX or NPY of [lines, height, width]; here a row is %s",
                       files->images, x->rank < 2 ? "a vector" : "no grey image");
    files->pixels = lg_dataset_values(files->data, "x");
    files->rows = one ? 1 : lg_dataset_rows(files->data);
    files->height = one ? lg_dataset_rows(files->data) : x->dims[0];
    files->width = one ? x->dims[0] : x->dims[1];
    files->widths = calloc(files->rows, sizeof *files->widths);
    if (!files->widths)
        return lg_fail(LG_E_MEMORY, "out of memory for %zu lines", files->rows);
    lg_status status = scale_pixels(files);
    for (size_t row = 0; status == LG_OK && row < files->rows; row++) {
        files->widths[row] = files->width;
        while (files->widths[row] > 1 && is_empty(files, row, files->widths[row] - 1))
            files->widths[row]--;
    }
    return status;
}

/* ------------------------------------------------------------------- texts */

/* The next code point of UTF-8; 0 for bytes that are none, or a control character. */
static uint32_t next_character(const unsigned char **text)
{
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    const unsigned char *s = *text;
    const size_t bytes = s[0] < 0x80 ? 1 : s[0] >> 5 == 6 ? 2 : s[0] >> 4 == 14 ? 3 : s[0] >> 3 == 30 ? 4 : 0;
    if (bytes == 0)
        return 0;
    uint32_t character = bytes == 1 ? s[0] : s[0] & (0xFFu >> (bytes + 1));
    for (size_t i = 1; i < bytes; i++) {
        if (s[i] >> 6 != 2)
            return 0;
        character = character << 6 | (s[i] & 0x3Fu);
    }
    *text = s + bytes;
    const bool wrong = character < least[bytes] || character > 0x10FFFF || (character >= 0xD800 && character < 0xE000);
    return wrong || character < 0x20 || (character >= 0x7F && character < 0xA0) ? 0 : character;
}

bool line_files_is_character(const char *text)
{
    const unsigned char *end = (const unsigned char *)text;
    return next_character(&end) && *end == '\0';
}

static void *grow(void *block, size_t *capacity, size_t needed, size_t size)
{
    if (needed <= *capacity)
        return block;
    const size_t grown = needed + needed / 2 + 64;
    void *larger = realloc(block, grown * size);
    if (larger)
        *capacity = grown;
    else
        lg_fail(LG_E_MEMORY, "out of memory for %zu characters", grown);
    return larger;
}

/* One line of the file, without its end. */
static lg_status take_line(line_files *files, const char *text, size_t length)
{
    const size_t number = ++files->line;
    const unsigned char *s = (const unsigned char *)text, *end = s + length;
    if (number > files->rows)
        return lg_fail(LG_E_FORMAT, "%s:%zu: a text too many; %s has %zu images", files->texts, number, files->images,
                       files->rows);
    files->start[number - 1] = files->count;
    while (s < end) {
        const size_t column = (size_t)(s - (const unsigned char *)text);
        const uint32_t character = next_character(&s);
        if (character == 0)
            return lg_fail(LG_E_FORMAT, "%s:%zu: byte %zu is no character of a text in UTF-8", files->texts, number,
                           column + 1);
        uint32_t *larger = grow(files->characters, &files->capacity, files->count + 1, sizeof *larger);
        if (!larger)
            return LG_E_MEMORY;
        files->characters = larger;
        files->characters[files->count++] = character;
    }
    const size_t characters = files->count - files->start[number - 1];
    if (characters == 0)
        return lg_fail(LG_E_FORMAT, "%s:%zu: is empty; every image has a text", files->texts, number);
    if (characters > LINE_MOST_LABELS)
        return lg_fail(LG_E_FORMAT, "%s:%zu: has %zu characters; %d are possible", files->texts, number, characters,
                       LINE_MOST_LABELS);
    return LG_OK;
}

static lg_status take_lines(line_files *files, gzFile file)
{
    static const size_t most = 4 * LINE_MOST_LABELS + 8;
    char *text = malloc(most);
    lg_status status = text ? LG_OK : lg_fail(LG_E_MEMORY, "out of memory for a line of text");
    for (z_off_t at = 0; status == LG_OK && gzgets(file, text, (int)most); at = gztell(file)) {
        size_t length = strlen(text);
        const bool whole = length > 0 && text[length - 1] == '\n';
        if ((z_off_t)length != gztell(file) - at)
            status = lg_fail(LG_E_FORMAT, "%s:%zu: holds a byte of 0", files->texts, files->line + 1);
        else if (!whole && !gzeof(file))
            status = lg_fail(LG_E_FORMAT, "%s:%zu: is longer than %d characters", files->texts, files->line + 1,
                             LINE_MOST_LABELS);
        length -= whole;
        length -= length > 0 && text[length - 1] == '\r';
        if (status == LG_OK)
            status = take_line(files, text, length);
    }
    free(text);
    int failure = Z_OK;
    const char *message = gzerror(file, &failure);
    if (status == LG_OK && failure != Z_OK && failure != Z_STREAM_END)
        status = lg_fail(LG_E_IO, "%s: %s", files->texts, failure == Z_ERRNO ? strerror(errno) : message);
    return status;
}

static lg_status read_texts(line_files *files)
{
    files->start = calloc(files->rows + 1, sizeof *files->start);
    if (!files->start)
        return lg_fail(LG_E_MEMORY, "out of memory for %zu lines", files->rows);
    errno = 0;
    gzFile file = gzopen(files->texts, "rb");
    if (!file)
        return lg_fail(LG_E_IO, "%s: cannot be opened: %s", files->texts, strerror(errno ? errno : ENOMEM));
    lg_status status = take_lines(files, file);
    gzclose(file);
    if (status == LG_OK && files->line < files->rows)
        status = lg_fail(LG_E_FORMAT, "%s: has %zu lines of text, but %s has %zu images", files->texts, files->line,
                         files->images, files->rows);
    files->start[files->rows] = files->count;
    return status;
}

/* ---------------------------------------------------------------- alphabet */

static int compare_characters(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void encode(uint32_t c, char *out)
{
    const size_t more = c < 0x80 ? 0 : c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    static const unsigned lead[] = { 0, 0xC0, 0xE0, 0xF0 };
    out[0] = (char)(lead[more] | c >> (6 * more));
    for (size_t i = 1; i <= more; i++)
        out[i] = (char)(0x80 | (c >> (6 * (more - i)) & 0x3F));
    out[more + 1] = '\0';
}

/* The distinct characters in order. */
static lg_status make_alphabet(const line_files *files, alphabet *a)
{
    uint32_t *sorted = calloc(files->count, sizeof *sorted);
    a->symbol = calloc(files->count + 1, sizeof *a->symbol);
    if (!sorted || !a->symbol) {
        free(sorted);
        return lg_fail(LG_E_MEMORY, "out of memory for the alphabet");
    }
    memcpy(sorted, files->characters, files->count * sizeof *sorted);
    qsort(sorted, files->count, sizeof *sorted, compare_characters);
    a->classes = 1;
    for (size_t i = 0; i < files->count; i++)
        if (i == 0 || sorted[i] != sorted[i - 1])
            encode(sorted[i], a->symbol[a->classes++]);
    free(sorted);
    return LG_OK;
}

static int compare_symbols(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* The characters of the texts become their classes. An alphabet is in order, by code points and so by bytes. */
static lg_status classify(line_files *files, const alphabet *a)
{
    for (size_t row = 0; row < files->rows; row++)
        for (size_t i = files->start[row]; i < files->start[row + 1]; i++) {
            char wanted[sizeof *a->symbol];
            encode(files->characters[i], wanted);
            const char *found = bsearch(wanted, a->symbol[1], a->classes - 1, sizeof *a->symbol, compare_symbols);
            if (!found)
                return lg_fail(LG_E_FORMAT, "%s:%zu: \"%s\" is not among the %zu characters of the model", files->texts,
                               row + 1, wanted, a->classes - 1);
            files->characters[i] = (uint32_t)((size_t)(found - a->symbol[0]) / sizeof *a->symbol);
        }
    return LG_OK;
}

static lg_status read_labels(line_files *files, alphabet *a)
{
    lg_status status = read_texts(files);
    if (status == LG_OK && a->classes == 0)
        status = make_alphabet(files, a);
    return status == LG_OK ? classify(files, a) : status;
}

line_files *line_files_read(const char *images, const char *texts, alphabet *a)
{
    line_files *files = calloc(1, sizeof *files);
    if (!files) {
        lg_fail(LG_E_MEMORY, "out of memory for lines");
        return NULL;
    }
    files->images = images;
    files->texts = texts;
    if (read_images(files) == LG_OK && (!texts || read_labels(files, a) == LG_OK))
        return files;
    line_files_free(files);
    return NULL;
}

/* ------------------------------------------------------------------- lines */

static void get(const void *context, size_t row, line *out)
{
    const line_files *files = context;
    out->pixels = files->pixels + row * files->height * files->width;
    out->width = files->widths[row];
    out->stride = files->width;
    out->label_count = 0;
    if (!files->texts)
        return;
    out->label_count = files->start[row + 1] - files->start[row];
    for (size_t u = 0; u < out->label_count; u++)
        out->labels[u] = (int32_t)files->characters[files->start[row] + u];
}

static void free_context(void *context)
{
    line_files_free(context);
}

line_source line_files_source(line_files *files)
{
    line_source source = { .rows = files->rows, .height = files->height, .most_labels = 1, .context = files, .get = get,
                           .free = free_context };
    for (size_t row = 0; row < files->rows; row++) {
        const size_t labels = files->texts ? files->start[row + 1] - files->start[row] : 0;
        source.most_width = files->widths[row] > source.most_width ? files->widths[row] : source.most_width;
        source.most_labels = labels > source.most_labels ? labels : source.most_labels;
    }
    return source;
}

lg_status line_files_check(const line_files *files, const line_frames *frames)
{
    for (size_t row = 0; row < files->rows; row++) {
        const uint32_t *label = files->characters + files->start[row];
        const size_t labels = files->start[row + 1] - files->start[row];
        const size_t given = line_frame_count(files->widths[row], frames);
        size_t needed = labels;
        for (size_t u = 1; u < labels; u++)
            needed += label[u] == label[u - 1];
        if (needed > given)
            return lg_fail(LG_E_SHAPE, "%s:%zu: %zu characters need at least %zu frames, but the image, %zu columns wide, "
                           "gives %zu%s", files->texts, row + 1, labels, needed, files->widths[row], given,
                           frames->stride > 1 ? "; a smaller --stride gives more" : "");
    }
    return LG_OK;
}
