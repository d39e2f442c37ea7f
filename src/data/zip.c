/* Reading ZIP archives (zip_internal.h). All numbers in them are little-endian. */
#include "data/zip_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tensor/memory_internal.h"

enum {
    END_BYTES = 22, END64_BYTES = 56, LOCATOR_BYTES = 20, ENTRY_BYTES = 46, LOCAL_BYTES = 30,
    LONGEST_COMMENT = 65535, LONGEST_DIRECTORY = 1 << 24, BUFFER = 1 << 16
};

static uint64_t number(const unsigned char *bytes, size_t count)
{
    uint64_t value = 0;
    for (size_t k = 0; k < count; k++)
        value |= (uint64_t)bytes[k] << 8 * k;
    return value;
}

static bool has_mark(const unsigned char *bytes, unsigned char third, unsigned char fourth)
{
    return bytes[0] == 'P' && bytes[1] == 'K' && bytes[2] == third && bytes[3] == fourth;
}

bool lg_zip_is(const unsigned char *head, size_t count)
{
    return count >= 4 && (has_mark(head, 3, 4) || has_mark(head, 5, 6));
}

/* Exactly `count` bytes at a place. */
static lg_status read_at(int descriptor, const char *path, uint64_t offset, void *out, size_t count)
{
    for (size_t done = 0; done < count;) {
        if (offset + done > INT64_MAX)
            return lg_fail(LG_E_FORMAT, "%s: the archive is damaged: it points beyond its end", path);
        ssize_t got = pread(descriptor, (char *)out + done, count - done, (off_t)(offset + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return lg_fail(LG_E_IO, "%s: cannot be read: %s", path, strerror(errno));
        if (got == 0)
            return lg_fail(LG_E_FORMAT, "%s: the archive is damaged: it points beyond its end", path);
        done += (size_t)got;
    }
    return LG_OK;
}

/* ---- the directory -------------------------------------------------------------------------------------------------- */

typedef struct directory {
    uint64_t offset, bytes, count;
} directory;

/* Large archives have their numbers in a record of its own, which a locator just before the end record points to. */
static lg_status read_end64(int descriptor, const char *path, uint64_t end, directory *d)
{
    unsigned char locator[LOCATOR_BYTES], record[END64_BYTES];
    if (end < LOCATOR_BYTES)
        return LG_OK;
    lg_status status = read_at(descriptor, path, end - LOCATOR_BYTES, locator, sizeof locator);
    if (status < 0 || !has_mark(locator, 6, 7))
        return status;
    status = read_at(descriptor, path, number(locator + 8, 8), record, sizeof record);
    if (status == LG_OK && !has_mark(record, 6, 6))
        status = lg_fail(LG_E_FORMAT, "%s: the archive is damaged: its end of directory is not where it should be", path);
    if (status == LG_OK)
        *d = (directory){ .offset = number(record + 48, 8), .bytes = number(record + 40, 8),
                          .count = number(record + 32, 8) };
    return status;
}

/* The end record is the last thing in the file but for a comment, whose length it says. */
static lg_status find_directory(int descriptor, const char *path, uint64_t size, directory *d)
{
    const size_t count = size < END_BYTES + LONGEST_COMMENT ? (size_t)size : END_BYTES + LONGEST_COMMENT;
    unsigned char *tail = lg_calloc(count, 1, "lg_dataset_read");
    if (!tail)
        return LG_E_MEMORY;
    lg_status status = read_at(descriptor, path, size - count, tail, count);
    size_t at = count < END_BYTES ? 0 : count - END_BYTES;
    bool found = false;
    while (status == LG_OK && count >= END_BYTES && !found) {
        found = has_mark(tail + at, 5, 6) && at + END_BYTES + number(tail + at + 20, 2) == count;
        if (found || at-- == 0)
            break;
    }
    if (status == LG_OK && !found)
        status = lg_fail(LG_E_FORMAT, "%s: the archive has no directory at its end; it was cut off", path);
    if (status == LG_OK) {
        const unsigned char *end = tail + at;
        *d = (directory){ .offset = number(end + 16, 4), .bytes = number(end + 12, 4), .count = number(end + 10, 2) };
        if (d->offset == UINT32_MAX || d->bytes == UINT32_MAX || d->count == UINT16_MAX)
            status = read_end64(descriptor, path, size - count + at, d);
    }
    free(tail);
    return status;
}

/* Sizes and the offset that did not fit into 4 bytes follow in an extra field, in this order. */
static void take_large(lg_zip_entry *entry, const unsigned char *extra, size_t bytes)
{
    while (bytes >= 4) {
        const size_t kind = (size_t)number(extra, 2), length = (size_t)number(extra + 2, 2);
        if (length > bytes - 4)
            return;
        const unsigned char *p = extra + 4, *end = p + length;
        uint64_t *const fields[] = { &entry->unpacked, &entry->packed, &entry->offset };
        for (size_t k = 0; kind == 1 && k < 3; k++)
            if (*fields[k] == UINT32_MAX && end - p >= 8) {
                *fields[k] = number(p, 8);
                p += 8;
            }
        extra = end;
        bytes -= 4 + length;
    }
}

static lg_status read_entries(lg_zip *zip, const char *path, const unsigned char *p, size_t bytes, uint64_t count)
{
    size_t capacity = 0;
    for (uint64_t i = 0; i < count; i++) {
        if (bytes < ENTRY_BYTES || !has_mark(p, 1, 2))
            return lg_fail(LG_E_FORMAT, "%s: the archive is damaged: member %llu of its directory is none", path,
                           (unsigned long long)i);
        const size_t name = (size_t)number(p + 28, 2), extra = (size_t)number(p + 30, 2),
                     whole = ENTRY_BYTES + name + extra + (size_t)number(p + 32, 2);
        if (whole > bytes)
            return lg_fail(LG_E_FORMAT, "%s: the archive is damaged: its directory ends within member %llu", path,
                           (unsigned long long)i);
        lg_status status = lg_reserve(&zip->entries, &capacity, zip->count + 1, sizeof *zip->entries, "lg_dataset_read");
        if (status < 0)
            return status;
        lg_zip_entry *entry = &zip->entries[zip->count++];
        *entry = (lg_zip_entry){ .method = (unsigned)number(p + 10, 2), .checksum = (uint32_t)number(p + 16, 4),
                                 .packed = number(p + 20, 4), .unpacked = number(p + 24, 4),
                                 .offset = number(p + 42, 4), .encrypted = p[8] & 1 };
        memcpy(entry->name, p + ENTRY_BYTES, name < sizeof entry->name ? name : sizeof entry->name - 1);
        take_large(entry, p + ENTRY_BYTES + name, extra);
        p += whole;
        bytes -= whole;
    }
    return LG_OK;
}

static lg_status open_archive(const char *path, int *descriptor, uint64_t *size)
{
    struct stat found;
    *descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (*descriptor < 0 || fstat(*descriptor, &found) < 0)
        return lg_fail(LG_E_IO, "%s: cannot be opened: %s", path, strerror(errno));
    if (!S_ISREG(found.st_mode))
        return lg_fail(LG_E_IO, "%s: an archive is read from its end, which a pipe does not allow", path);
    *size = (uint64_t)found.st_size;
    return LG_OK;
}

lg_status lg_zip_list(lg_zip *zip, const char *path)
{
    *zip = (lg_zip){ 0 };
    int descriptor;
    uint64_t size = 0;
    directory d = { 0 };
    unsigned char *bytes = NULL;
    lg_status status = open_archive(path, &descriptor, &size);
    if (status == LG_OK)
        status = find_directory(descriptor, path, size, &d);
    if (status == LG_OK && (d.bytes > LONGEST_DIRECTORY || d.bytes > size))
        status = lg_fail(LG_E_FORMAT, "%s: the archive has a directory of %llu bytes", path, (unsigned long long)d.bytes);
    if (status == LG_OK && !(bytes = lg_calloc((size_t)d.bytes, 1, "lg_dataset_read")))
        status = LG_E_MEMORY;
    if (status == LG_OK)
        status = read_at(descriptor, path, d.offset, bytes, (size_t)d.bytes);
    if (status == LG_OK)
        status = read_entries(zip, path, bytes, (size_t)d.bytes, d.count);
    free(bytes);
    if (descriptor >= 0)
        close(descriptor);
    if (status < 0)
        lg_zip_free(zip);
    return status;
}

void lg_zip_free(lg_zip *zip)
{
    free(zip->entries);
    *zip = (lg_zip){ 0 };
}

/* ---- a member ------------------------------------------------------------------------------------------------------- */

struct lg_zip_member {
    int descriptor;
    char *path;            /* "archive.npz: name" */
    uint64_t offset, left; /* of the packed bytes that were not read yet */
    uint64_t unpacked;     /* bytes still to come, as the directory says */
    uint32_t checksum, expected;
    bool deflated, started;
    z_stream inflater;
    unsigned char buffer[BUFFER];
};

static lg_status refill(struct lg_zip_member *m)
{
    const size_t count = m->left < BUFFER ? (size_t)m->left : BUFFER;
    lg_status status = read_at(m->descriptor, m->path, m->offset, m->buffer, count);
    m->inflater.next_in = m->buffer;
    m->inflater.avail_in = (uInt)count;
    m->offset += count;
    m->left -= count;
    return status;
}

/* Some bytes, at least one; *got is 0 where the packed bytes end. */
static lg_status unpack(struct lg_zip_member *m, unsigned char *out, size_t bytes, size_t *got)
{
    z_stream *z = &m->inflater;
    lg_status status = z->avail_in == 0 && m->left > 0 ? refill(m) : LG_OK;
    *got = 0;
    if (status < 0)
        return status;
    if (!m->deflated) {
        *got = bytes < z->avail_in ? bytes : z->avail_in;
        if (*got == 0) /* of an empty member nothing was ever read */
            return LG_OK;
        memcpy(out, z->next_in, *got);
        z->next_in += *got;
        z->avail_in -= (uInt)*got;
        return LG_OK;
    }
    z->next_out = out;
    z->avail_out = bytes < BUFFER ? (uInt)bytes : BUFFER;
    const uInt room = z->avail_out;
    int code = Z_OK;
    while (code == Z_OK && z->avail_out == room) {
        if (z->avail_in == 0 && m->left > 0 && (status = refill(m)) < 0)
            return status;
        code = inflate(z, Z_NO_FLUSH);
    }
    *got = room - z->avail_out;
    if (code == Z_MEM_ERROR)
        return lg_fail(LG_E_MEMORY, "%s: out of memory for unpacking", m->path);
    return code == Z_OK || code == Z_STREAM_END || code == Z_BUF_ERROR
               ? LG_OK : lg_fail(LG_E_FORMAT, "%s: is damaged: it cannot be unpacked", m->path);
}

lg_status lg_zip_member_read(struct lg_zip_member *m, unsigned char *out, size_t bytes, size_t *got)
{
    *got = 0;
    while (*got < bytes && m->unpacked > 0) {
        size_t some, wanted = bytes - *got;
        wanted = wanted < m->unpacked ? wanted : (size_t)m->unpacked;
        lg_status status = unpack(m, out + *got, wanted, &some);
        if (status < 0)
            return status;
        if (some == 0)
            return lg_fail(LG_E_FORMAT, "%s: is damaged: it ends %llu bytes too early", m->path,
                           (unsigned long long)m->unpacked);
        for (size_t done = 0; done < some; done += BUFFER) /* crc32 counts in 32 bits */
            m->checksum = (uint32_t)crc32(m->checksum, out + *got + done,
                                          (uInt)(some - done < BUFFER ? some - done : BUFFER));
        *got += some;
        m->unpacked -= some;
    }
    if (m->unpacked == 0 && m->checksum != m->expected)
        return lg_fail(LG_E_FORMAT, "%s: is damaged: its checksum is wrong", m->path);
    return LG_OK;
}

void lg_zip_member_free(struct lg_zip_member *m)
{
    if (!m)
        return;
    if (m->started)
        inflateEnd(&m->inflater);
    if (m->descriptor >= 0)
        close(m->descriptor);
    free(m->path);
    free(m);
}

static lg_status start(struct lg_zip_member *m, const char *path, const lg_zip_entry *entry)
{
    unsigned char local[LOCAL_BYTES];
    uint64_t size;
    lg_status status = open_archive(path, &m->descriptor, &size);
    if (status == LG_OK)
        status = read_at(m->descriptor, m->path, entry->offset, local, sizeof local);
    if (status == LG_OK && !has_mark(local, 3, 4))
        status = lg_fail(LG_E_FORMAT, "%s: is damaged: it does not begin where the directory says", m->path);
    if (status < 0)
        return status;
    m->offset = entry->offset + LOCAL_BYTES + number(local + 26, 2) + number(local + 28, 2);
    m->left = entry->packed;
    m->unpacked = entry->unpacked;
    m->expected = entry->checksum;
    m->deflated = entry->method == LG_ZIP_DEFLATED;
    if (m->deflated && inflateInit2(&m->inflater, -MAX_WBITS) != Z_OK)
        return lg_fail(LG_E_MEMORY, "%s: out of memory for unpacking", m->path);
    m->started = m->deflated;
    return LG_OK;
}

lg_status lg_zip_open(lg_stream *stream, const char *path, const lg_zip_entry *entry)
{
    *stream = (lg_stream){ 0 };
    if (entry->encrypted || (entry->method != LG_ZIP_STORED && entry->method != LG_ZIP_DEFLATED))
        return lg_fail(LG_E_FORMAT, "%s: %s is %s; stored and deflated members can be read", path, entry->name,
                       entry->encrypted ? "encrypted" : "packed in another way");
    struct lg_zip_member *m = lg_calloc(1, sizeof *m, "lg_dataset_read");
    if (!m)
        return LG_E_MEMORY;
    m->descriptor = -1;
    const size_t bytes = strlen(path) + 2 + strlen(entry->name) + 1;
    m->path = lg_calloc(bytes, 1, "lg_dataset_read");
    lg_status status = m->path ? LG_OK : LG_E_MEMORY;
    if (status == LG_OK) {
        snprintf(m->path, bytes, "%s: %s", path, entry->name);
        status = start(m, path, entry);
    }
    if (status < 0) {
        lg_zip_member_free(m);
        return status;
    }
    *stream = (lg_stream){ .path = m->path, .member = m, .size = entry->unpacked };
    return LG_OK;
}
