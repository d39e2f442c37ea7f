/* Lines of text as pictures, and as the frames that a CTC network reads: what is common to lines that are composed
 * (digit_lines.h) and lines that come from files (line_files.h). */
#ifndef EXAMPLES_LINES_H
#define EXAMPLES_LINES_H

#include <luge.h>

/* ---------------------------------------------------------------- alphabet */

/* The characters that texts are made of. Class 0 is CTC's blank; class k is the character symbol[k], UTF-8. */
typedef struct alphabet {
    size_t classes; /* the blank included */
    char (*symbol)[5];
} alphabet;

/* The text of labels, which stops at its first -1, into `text`, whose room is for at least 4 bytes a label and one
 * more. */
void alphabet_text(const alphabet *a, const int32_t *labels, size_t count, char *text);

/* ------------------------------------------------------------------- lines */

enum { LINE_BUFFER = 2048, LINE_MOST_LABELS = 1024 };

/* A line: its picture, [height, width] with `stride` values from row to row, 0 the paper and up to 1 the ink, and its
 * text. The pixels may lie in `buffer`. */
typedef struct line {
    const lg_real *pixels;
    size_t width, stride, label_count;
    int32_t labels[LINE_MOST_LABELS];
    lg_real buffer[LINE_BUFFER];
} line;

/* Where lines come from. `get` may be called by several threads; `free` releases the context. */
typedef struct line_source {
    size_t rows, height, most_width, most_labels;
    void *context;
    void (*get)(const void *context, size_t row, line *out);
    void (*free)(void *context);
} line_source;

/* Frame f of a line is the `window` columns around column f `stride` + stride / 2, one after the other; paper beyond
 * the ends. */
typedef struct line_frames {
    size_t window, stride;
} line_frames;

size_t line_frame_count(size_t width, const line_frames *frames);

/* The data set of lines: "x", ragged [frames, window height], and "y", ragged int32 [labels]. On success it owns the
 * source's context; on failure the caller still does. */
lg_dataset *lines_dataset(const line_source *source, const line_frames *frames);

/* Prints a line in characters, darker ones for more ink, scaled down to at most `rows` x `columns` of them; narrower
 * still, if it must be. */
void line_print(const line *l, size_t height, size_t rows, size_t columns);

#endif
