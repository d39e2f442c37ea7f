/* Lines of text from files: images, IDX or NPY of [lines, height, width], and a file with the text of each. */
#ifndef EXAMPLES_LINE_FILES_H
#define EXAMPLES_LINE_FILES_H

#include "lines.h"

/* Pictures are brought to 0 for paper, which is what most pixels are, and up to 1 for ink, be it darker or brighter;
 * empty columns at the end of a line are left out. */
typedef struct line_files line_files;

/* Reads both. The text is plain or in gzip, UTF-8, one line for each image; the alphabet becomes what occurs in it, or,
 * if it is that of a model, what occurs must be in it. `texts` NULL: lines without labels, or an array [height, width],
 * which is a single one. NULL with the file, the line and what is wrong: LG_E_IO, LG_E_FORMAT, LG_E_SHAPE,
 * LG_E_MEMORY. */
line_files *line_files_read(const char *images, const char *texts, alphabet *a);
void line_files_free(line_files *files);

line_source line_files_source(line_files *files);

/* LG_E_SHAPE naming the first line whose text needs more frames than its image gives: one for each character, and one
 * more wherever a character is repeated. */
lg_status line_files_check(const line_files *files, const line_frames *frames);

/* That a text is one character such as texts may have: UTF-8, and no control character. */
bool line_files_is_character(const char *text);

#endif
