#include "embedded.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* The bytes of a file, between NAME_begin and NAME_end. The path is seen from where make runs the compiler. */
#define EMBED(name, file)                                                                                             \
    __asm__(".pushsection .rodata\n" #name "_begin:\n.incbin \"" file "\"\n" #name "_end:\n.popsection\n");            \
    extern const unsigned char name##_begin[], name##_end[];

EMBED(embedded_breast_cancer, "data/breast_cancer.csv")
EMBED(embedded_digits, "data/digits.csv.gz")
EMBED(embedded_engel, "data/engel.csv")
EMBED(embedded_quantile_textbook, "data/quantile_textbook.csv.gz")

static const struct {
    const char *name;
    const unsigned char *begin, *end;
} files[] = {
    { "breast_cancer.csv", embedded_breast_cancer_begin, embedded_breast_cancer_end },
    { "digits.csv.gz", embedded_digits_begin, embedded_digits_end },
    { "engel.csv", embedded_engel_begin, embedded_engel_end },
    { "quantile_textbook.csv.gz", embedded_quantile_textbook_begin, embedded_quantile_textbook_end },
};

/* A file in memory with these bytes, read from its beginning; -1 with errno. */
static int memory_file(const char *name, const unsigned char *bytes, size_t count)
{
    const int file = memfd_create(name, MFD_CLOEXEC);
    for (size_t done = 0; file >= 0 && done < count;) {
        const ssize_t wrote = write(file, bytes + done, count - done);
        if (wrote < 0 && errno != EINTR) {
            const int reason = errno;
            close(file);
            errno = reason;
            return -1;
        }
        done += wrote > 0 ? (size_t)wrote : 0;
    }
    return file;
}

/* In the message of a failure, the name in place of a path that says nothing. */
static void name_in_message(const char *path, const char *name)
{
    char said[1024];
    snprintf(said, sizeof said, "%s", lg_error());
    const char *found = strstr(said, path);
    if (found)
        lg_fail(lg_error_code(), "%.*sembedded %s%s", (int)(found - said), said, name, found + strlen(path));
}

lg_dataset *embedded_read(const char *name, const lg_csv_options *csv)
{
    size_t i = 0;
    while (i < sizeof files / sizeof *files && strcmp(files[i].name, name) != 0)
        i++;
    if (i == sizeof files / sizeof *files) {
        lg_fail(LG_E_PARAM, "there is no embedded %s", name);
        return NULL;
    }
    const int file = memory_file(name, files[i].begin, (size_t)(files[i].end - files[i].begin));
    if (file < 0) {
        lg_fail(LG_E_IO, "embedded %s: %s", name, strerror(errno));
        return NULL;
    }
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    lg_dataset *data = lg_dataset_read_csv(path, csv);
    if (!data)
        name_in_message(path, name);
    close(file);
    return data;
}
