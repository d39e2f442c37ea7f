/* ZIP archives (PKWARE, APPNOTE.TXT 6.3), as far as numpy.savez needs them: members that are stored or deflated, of any
 * size (ZIP64), not encrypted, in one file. */
#ifndef LG_ZIP_INTERNAL_H
#define LG_ZIP_INTERNAL_H

#include "data/stream_internal.h"

enum { LG_ZIP_STORED = 0, LG_ZIP_DEFLATED = 8, LG_ZIP_NAME_BYTES = 128 };

typedef struct lg_zip_entry {
    char name[LG_ZIP_NAME_BYTES]; /* ended by NUL; longer ones are cut */
    unsigned method;
    uint32_t checksum;
    uint64_t packed, unpacked, offset; /* bytes, and where the member's own header is */
    bool encrypted;
} lg_zip_entry;

typedef struct lg_zip {
    size_t count;
    lg_zip_entry *entries;
} lg_zip;

/* Whether a file that begins like this is an archive (an empty one too). */
bool lg_zip_is(const unsigned char *head, size_t count);

/* The members of an archive, from the directory at its end; needs a file that can be read at any place. LG_E_IO,
 * LG_E_FORMAT, LG_E_MEMORY. */
lg_status lg_zip_list(lg_zip *zip, const char *path);
void lg_zip_free(lg_zip *zip);

/* A member as a stream, whose path for messages is "archive.npz: name". Its checksum is compared when its end is read. */
lg_status lg_zip_open(lg_stream *stream, const char *path, const lg_zip_entry *entry);

/* For stream.c: the next bytes of a member, fewer only at its end; and its release. */
lg_status lg_zip_member_read(struct lg_zip_member *member, unsigned char *out, size_t bytes, size_t *got);
void lg_zip_member_free(struct lg_zip_member *member);

#endif
