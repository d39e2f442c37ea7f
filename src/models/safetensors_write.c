/* Writing safetensors (safetensors.h). */
#include "models/safetensors_internal.h"

#include "data/whole_file_internal.h"
#include "tensor/memory_internal.h"

#include <stdlib.h>
#include <string.h>

/* An entry in the order of the file. */
typedef struct piece {
    const lg_file_entry *entry;
    size_t bits, size, bytes;
} piece;

/* The length of the character of UTF-8 at text, 0 if it is none: no stray bytes, no overlong forms, no surrogates. */
static size_t utf8_length(const unsigned char *text)
{
    static const struct {
        unsigned char mask, lead;
        uint32_t least;
    } forms[] = { { 0x80, 0x00, 0 }, { 0xE0, 0xC0, 0x80 }, { 0xF0, 0xE0, 0x800 }, { 0xF8, 0xF0, 0x10000 } };
    for (size_t more = 0; more < 4; more++) {
        if ((text[0] & forms[more].mask) != forms[more].lead)
            continue;
        uint32_t point = text[0] & (unsigned char)~forms[more].mask;
        for (size_t k = 1; k <= more; k++) {
            if ((text[k] & 0xC0) != 0x80)
                return 0;
            point = point << 6 | (text[k] & 0x3F);
        }
        const bool surrogate = point >= 0xD800 && point <= 0xDFFF;
        return point >= forms[more].least && point <= 0x10FFFF && !surrogate ? more + 1 : 0;
    }
    return 0;
}

static bool is_utf8(const char *text)
{
    const unsigned char *next = (const unsigned char *)text;
    size_t length = 1;
    while (*next && (length = utf8_length(next)) > 0)
        next += length;
    return length > 0;
}

/* --------------------------------------------------------------- the header */

static lg_status out_of_memory(void)
{
    return lg_fail(LG_E_MEMORY, "lg_safetensors_write: out of memory for the header");
}

/* Puts `value`, which it takes over, under a key that must be new. */
static lg_status put(json_t *object, const char *key, const char *what, json_t *value)
{
    lg_status status = LG_OK;
    if (json_object_get(object, key))
        status = lg_fail(LG_E_PARAM, "lg_safetensors_write: there are two %s \"%s\"", what,
                         lg_file_excerpt_of(key).text);
    else if (!value || json_object_set(object, key, value) != 0)
        status = out_of_memory();
    json_decref(value);
    return status;
}

static lg_status put_metadata(json_t *header, const lg_metadata *metadata, size_t count)
{
    json_t *texts = json_object();
    lg_status status = texts ? LG_OK : out_of_memory();
    for (size_t i = 0; i < count && status == LG_OK; i++) {
        const char *key = metadata[i].key, *value = metadata[i].value;
        if (!key || !value)
            status = lg_fail_null("lg_safetensors_write: the key or the value of text %zu is NULL", i);
        else if (!is_utf8(key) || !is_utf8(value))
            status = lg_fail(LG_E_PARAM, "lg_safetensors_write: text \"%s\" is not UTF-8", lg_file_excerpt_of(key).text);
        else
            status = put(texts, key, "texts", json_string(value));
    }
    if (status == LG_OK)
        return put(header, LG_SAFETENSORS_METADATA, "tensors", texts);
    json_decref(texts);
    return status;
}

static json_t *shape_of(const lg_file_entry *entry)
{
    json_t *shape = json_array();
    for (size_t i = 0; shape && i < entry->rank; i++)
        if (json_array_append_new(shape, json_integer((json_int_t)entry->dims[i])) != 0) {
            json_decref(shape);
            return NULL;
        }
    return shape;
}

static lg_status put_piece(json_t *header, const piece *p, size_t begin)
{
    const char *dtype = lg_file_dtype_name(p->entry->dtype);
    json_t *shape = shape_of(p->entry);
    json_t *entry = shape ? json_pack("{s:s, s:O, s:[I, I]}", "dtype", dtype, "shape", shape, "data_offsets",
                                      (json_int_t)begin, (json_int_t)(begin + p->bytes))
                          : NULL;
    json_decref(shape);
    return put(header, p->entry->name, "tensors", entry);
}

/* The header's text, to be freed by free(), padded with spaces so that the values begin at a multiple of 8. */
static lg_status header_text(const piece *pieces, size_t count, const lg_metadata *metadata, size_t metadata_count,
                             char **text, size_t *length)
{
    json_t *header = json_object();
    lg_status status = header ? LG_OK : out_of_memory();
    size_t begin = 0;
    if (status == LG_OK && metadata_count)
        status = put_metadata(header, metadata, metadata_count);
    for (size_t i = 0; i < count && status == LG_OK; begin += pieces[i++].bytes)
        status = put_piece(header, pieces + i, begin);
    const size_t bytes = status == LG_OK ? json_dumpb(header, NULL, 0, JSON_COMPACT) : 0;
    *length = (bytes + 7) / 8 * 8;
    if (status == LG_OK && (bytes == 0 || *length > LG_SAFETENSORS_MOST_HEADER))
        status = bytes == 0 ? out_of_memory()
                            : lg_fail(LG_E_PARAM, "lg_safetensors_write: a header of %zu bytes exceeds the format's "
                                                  "limit, %d", *length, LG_SAFETENSORS_MOST_HEADER);
    *text = status == LG_OK ? lg_calloc(*length, 1, "lg_safetensors_write") : NULL;
    if (*text) {
        memset(*text, ' ', *length);
        if (json_dumpb(header, *text, *length, JSON_COMPACT) != bytes)
            status = out_of_memory();
    }
    json_decref(header);
    return status == LG_OK && !*text ? LG_E_MEMORY : status;
}

/* ----------------------------------------------------------------- the pieces */

static lg_status check_entry(const lg_file_entry *entry, size_t i, piece *p)
{
    const lg_file_dtype_info *info = lg_file_dtype_info_of(entry->dtype);
    if (!entry->name || (entry->rank && !entry->dims))
        return lg_fail_null("lg_safetensors_write: the name or the shape of tensor %zu is NULL", i);
    const lg_file_excerpt name = lg_file_excerpt_of(entry->name);
    if (!*entry->name || !is_utf8(entry->name) || strcmp(entry->name, LG_SAFETENSORS_METADATA) == 0)
        return lg_fail(LG_E_PARAM, "lg_safetensors_write: \"%s\" is no name for a tensor", name.text);
    if (!info)
        return lg_fail(LG_E_PARAM, "lg_safetensors_write: tensor \"%s\": %d is no type", name.text, (int)entry->dtype);
    *p = (piece){ .entry = entry, .bits = info->bits };
    if (!lg_file_extent(entry->dtype, entry->rank, entry->dims, &p->size, &p->bytes))
        return lg_fail(LG_E_SHAPE, "lg_safetensors_write: tensor \"%s\": the size overflows, or is no whole number of "
                                   "bytes", name.text);
    for (size_t k = 0; k < entry->rank; k++)
        if (entry->dims[k] > INT64_MAX)
            return lg_fail(LG_E_SHAPE, "lg_safetensors_write: tensor \"%s\": axis %zu is too long", name.text, k);
    if (p->bytes && !entry->values)
        return lg_fail_null("lg_safetensors_write: the values of tensor \"%s\" are NULL", name.text);
    return LG_OK;
}

/* By falling width; among equals in the order of the entries, which lie in one array. */
static int by_width(const void *left, const void *right)
{
    const piece *a = left, *b = right;
    if (a->bits != b->bits)
        return a->bits > b->bits ? -1 : 1;
    return (a->entry > b->entry) - (a->entry < b->entry);
}

static lg_status arrange(const lg_file_entry *entries, size_t count, piece *pieces)
{
    size_t total = 0;
    for (size_t i = 0; i < count; i++) {
        lg_status status = check_entry(entries + i, i, pieces + i);
        if (status != LG_OK)
            return status;
        if (!lg_size_add(total, pieces[i].bytes, &total) || total > INT64_MAX)
            return lg_fail(LG_E_SHAPE, "lg_safetensors_write: the tensors exceed what a file can hold");
    }
    if (count > 1)
        qsort(pieces, count, sizeof *pieces, by_width);
    return LG_OK;
}

static void write_values(lg_whole_file *file, const piece *p)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    unsigned char chunk[8192];
    for (size_t i = 0; i < p->bytes; i += sizeof chunk) {
        const size_t bytes = p->bytes - i < sizeof chunk ? p->bytes - i : sizeof chunk;
        memcpy(chunk, (const char *)p->entry->values + i, bytes);
        if (p->bits >= 16)
            lg_little_endian(chunk, p->bits / 8, bytes / (p->bits / 8));
        lg_whole_file_write(file, chunk, bytes);
    }
#else
    if (p->bytes)
        lg_whole_file_write(file, p->entry->values, p->bytes);
#endif
}

static lg_status write_file(const char *path, const char *header, size_t length, const piece *pieces, size_t count)
{
    unsigned char length_bytes[LG_SAFETENSORS_LENGTH_BYTES];
    lg_whole_file file;
    lg_status status = lg_whole_file_begin(&file, path);
    if (status != LG_OK)
        return status;
    for (size_t i = 0; i < sizeof length_bytes; i++)
        length_bytes[i] = (unsigned char)((uint64_t)length >> 8 * i);
    lg_whole_file_write(&file, length_bytes, sizeof length_bytes);
    lg_whole_file_write(&file, header, length);
    for (size_t i = 0; i < count; i++)
        write_values(&file, pieces + i);
    return lg_whole_file_end(&file);
}

lg_status lg_safetensors_write(const char *path, const lg_file_entry *entries, size_t count,
                               const lg_metadata *metadata, size_t metadata_count)
{
    if (!path || (count && !entries) || (metadata_count && !metadata))
        return lg_fail_null("lg_safetensors_write: an argument is NULL");
    char *header = NULL;
    size_t length = 0;
    piece *pieces = lg_calloc(count, sizeof *pieces, "lg_safetensors_write");
    lg_status status = pieces ? arrange(entries, count, pieces) : LG_E_MEMORY;
    if (status == LG_OK)
        status = header_text(pieces, count, metadata, metadata_count, &header, &length);
    if (status == LG_OK)
        status = write_file(path, header, length, pieces, count);
    free(header);
    free(pieces);
    return status;
}
