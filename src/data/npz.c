/* NPZ files (npz.h). */
#include "data/npz_internal.h"

#include <string.h>

#include "data/array_internal.h"
#include "data/zip_internal.h"

static const char *const pairs[][2] = { { "x", "y" },           { "X", "y" },         { "x_train", "y_train" },
                                        { "images", "labels" }, { "data", "target" }, { "arr_0", "arr_1" } };

/* The array of a name, which the archive has as "name.npy"; NULL if there is none. */
static const lg_zip_entry *find(const lg_zip *zip, const char *name)
{
    const size_t length = strlen(name);
    for (size_t i = 0; i < zip->count; i++)
        if (strncmp(zip->entries[i].name, name, length) == 0 && strcmp(zip->entries[i].name + length, ".npy") == 0)
            return &zip->entries[i];
    return NULL;
}

/* "x_test, y_test": what an archive has, cut after some. */
static void list_names(const lg_zip *zip, char *text, size_t bytes)
{
    text[0] = '\0';
    size_t used = 0;
    for (size_t i = 0; i < zip->count && used + 40 < bytes; i++)
        used += (size_t)snprintf(text + used, bytes - used, "%s%.30s", i ? ", " : "", zip->entries[i].name);
    for (char *c = text; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7F)
            *c = '?';
}

static lg_status choose(const lg_zip *zip, const char *path, const lg_zip_entry **rows, const lg_zip_entry **targets)
{
    *rows = *targets = NULL;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs && !*rows; i++)
        if ((*rows = find(zip, pairs[i][0])) != NULL)
            *targets = find(zip, pairs[i][1]);
    if (!*rows && zip->count == 1)
        *rows = &zip->entries[0];
    if (*rows)
        return LG_OK;
    char names[400];
    list_names(zip, names, sizeof names);
    return lg_fail(LG_E_FORMAT, zip->count ? "%s: none of the arrays is called x, x_train, images, data or arr_0; there are %s"
                                           : "%s: the archive is empty%s", path, names);
}

static lg_dataset *read_chosen(const char *path, const lg_zip_entry *rows, const lg_zip_entry *targets,
                               const lg_read_options *options)
{
    lg_stream stream, labels = { 0 };
    lg_array_header header;
    lg_dataset *dataset = NULL;
    if (lg_zip_open(&stream, path, rows) < 0)
        return NULL;
    if (lg_npy_header(&stream, &header) == LG_OK && (!targets || lg_zip_open(&labels, path, targets) == LG_OK))
        dataset = targets ? lg_array_dataset_with(&stream, &header, &labels, options)
                          : lg_array_dataset(&stream, &header, options);
    lg_stream_close(&labels);
    lg_stream_close(&stream);
    return dataset;
}

lg_dataset *lg_npz_dataset(const char *path, const lg_read_options *options)
{
    lg_zip zip;
    const lg_zip_entry *rows, *targets;
    lg_read_options settled = *options;
    if (lg_zip_list(&zip, path) < 0)
        return NULL;
    lg_dataset *dataset = NULL;
    if (choose(&zip, path, &rows, &targets) == LG_OK) {
        /* With a labels file too, csv.target stays, and is refused. */
        const lg_zip_entry *named = settled.csv.target && !settled.labels ? find(&zip, settled.csv.target) : NULL;
        if (named) {
            settled.csv.target = NULL;
            targets = named;
        } else if (settled.csv.target || settled.labels)
            targets = NULL;
        dataset = read_chosen(path, rows, targets, &settled);
    }
    lg_zip_free(&zip);
    return dataset;
}

lg_dataset *lg_dataset_read_npz(const char *path, const lg_read_options *options)
{
    static const lg_read_options defaults;
    if (path)
        return lg_npz_dataset(path, options ? options : &defaults);
    lg_fail_null("dataset_read: no path");
    return NULL;
}
