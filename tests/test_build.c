/* What the build promises: names that the shared library shows, headers that stand alone, floors that do not leak. */
#include "support.h"
#include "tensor/base.h"

#include <check.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>

#ifdef LG_DOUBLE
#define LIBRARY "libluge-double"
#else
#define LIBRARY "libluge"
#endif

static FILE *run(const char *format, const char *argument, const char *name)
{
    char command[4096];
    snprintf(command, sizeof command, format, argument, name);
    FILE *output = popen(command, "r");
    ck_assert_ptr_nonnull(output);
    return output;
}

START_TEST(the_shared_library_shows_only_names_of_luge)
{
    FILE *names = run("nm -D --defined-only '%s/%s.so'", test_build_dir(), LIBRARY);
    char line[512], name[400];
    bool has_error = false;
    while (fgets(line, sizeof line, names)) {
        ck_assert_int_eq(sscanf(line, "%*s %*s %399s", name), 1);
        if (strncmp(name, "__odr_asan", 10) == 0) /* AddressSanitizer's mark on a variable */
            continue;
        ck_assert_msg(strncmp(name, "lg_", 3) == 0, "%s is visible", name);
        has_error |= strcmp(name, "lg_error") == 0;
    }
    ck_assert_int_eq(pclose(names), 0);
    ck_assert(has_error);
}
END_TEST

START_TEST(the_shared_library_is_named_by_its_major_version)
{
    FILE *entries = run("readelf -d '%s/%s.so'", test_build_dir(), LIBRARY);
    char line[512], expected[64];
    snprintf(expected, sizeof expected, "[%s.so.%d]", LIBRARY, LG_VERSION_MAJOR);
    bool found = false;
    while (fgets(line, sizeof line, entries))
        if (strstr(line, "SONAME"))
            found = strstr(line, expected) != NULL;
    ck_assert_int_eq(pclose(entries), 0);
    ck_assert(found);
}
END_TEST

/* The files of src/ and its folders whose names match. */
static glob_t find_sources(const char *name)
{
    char path[4096];
    glob_t found;
    snprintf(path, sizeof path, "%s/src/*/%s", test_source_dir(), name);
    ck_assert_int_eq(glob(path, 0, NULL, &found), 0);
    ck_assert_uint_gt(found.gl_pathc, 3);
    return found;
}

/* "tensor/base.h" of ".../src/tensor/base.h". */
static const char *after_src(const char *path)
{
    return path + strlen(test_source_dir()) + strlen("/src/");
}

START_TEST(every_header_compiles_alone)
{
    const char *compiler = getenv("LG_CC"); /* and LG_CFLAGS: `make test` sets both */
    glob_t found = find_sources("*.h");
    char path[4096];
    snprintf(path, sizeof path, "%s/src/luge.h", test_source_dir());
    ck_assert_int_eq(glob(path, GLOB_APPEND, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        char command[8192];
        snprintf(command, sizeof command,
                 "%s -std=c17 -Wall -Wextra -Wpedantic -Werror -Wno-unused-function -fopenmp-simd -I'%s/src' ${LG_CFLAGS:--D_GNU_SOURCE} "
                 "-fsyntax-only -x c '%s'",
                 compiler ? compiler : "cc", test_source_dir(), found.gl_pathv[i]);
        ck_assert_msg(system(command) == 0, "%s", command);
    }
    globfree(&found);
}
END_TEST

/* luge.h as one text. */
static void read_luge_header(char *text, size_t bytes)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/src/luge.h", test_source_dir());
    FILE *file = fopen(path, "r");
    ck_assert_ptr_nonnull(file);
    size_t length = fread(text, 1, bytes - 1, file);
    text[length] = '\0';
    fclose(file);
}

START_TEST(luge_h_includes_every_public_header_and_no_private_one)
{
    char text[16384];
    read_luge_header(text, sizeof text);
    glob_t found = find_sources("*.h");
    for (size_t i = 0; i < found.gl_pathc; i++) {
        char include[4200];
        snprintf(include, sizeof include, "#include \"%s\"", after_src(found.gl_pathv[i]));
        bool private = strstr(include, "_internal.h") != NULL;
        ck_assert_msg((strstr(text, include) == NULL) == private, "luge.h %s: %s", private ? "has" : "lacks", include);
    }
    globfree(&found);
}
END_TEST

/* The floor of a folder of src/; 0 for none. */
static int floor_of(const char *folder, size_t length)
{
    static const struct {
        const char *name;
        int floor;
    } floors[] = { { "tensor", 1 }, { "autograd", 2 }, { "data", 2 },  { "losses", 3 },
                   { "optim", 3 },  { "models", 4 },   { "train", 5 } };
    for (size_t i = 0; i < sizeof floors / sizeof *floors; i++)
        if (strlen(floors[i].name) == length && strncmp(floors[i].name, folder, length) == 0)
            return floors[i].floor;
    return 0;
}

static void check_includes(const char *path)
{
    const char *folder = after_src(path);
    size_t length = (size_t)(strchr(folder, '/') - folder);
    int floor = floor_of(folder, length);
    ck_assert_msg(floor > 0, "%s stands on no floor", path);

    FILE *file = fopen(path, "r");
    ck_assert_ptr_nonnull(file);
    char line[1024], target[512];
    while (fgets(line, sizeof line, file)) {
        if (sscanf(line, " # include \"%511[^\"]\"", target) != 1)
            continue;
        const char *slash = strchr(target, '/');
        ck_assert_msg(slash != NULL, "%s includes \"%s\", which is not written from src/", path, target);
        size_t target_length = (size_t)(slash - target);
        bool own = target_length == length && strncmp(target, folder, length) == 0;
        int target_floor = floor_of(target, target_length);
        ck_assert_msg(own || (target_floor > 0 && target_floor < floor), "%s includes \"%s\"", path, target);
    }
    fclose(file);
}

START_TEST(a_file_includes_only_its_own_folder_and_lower_floors)
{
    glob_t found = find_sources("*.[ch]");
    for (size_t i = 0; i < found.gl_pathc; i++)
        check_includes(found.gl_pathv[i]);
    globfree(&found);
}
END_TEST

Suite *build_suite(void)
{
    Suite *suite = suite_create("build");
    TCase *tcase = tcase_create("build");
    tcase_set_timeout(tcase, 30); /* compiles every header */
    tcase_add_test(tcase, the_shared_library_shows_only_names_of_luge);
    tcase_add_test(tcase, the_shared_library_is_named_by_its_major_version);
    tcase_add_test(tcase, every_header_compiles_alone);
    tcase_add_test(tcase, luge_h_includes_every_public_header_and_no_private_one);
    tcase_add_test(tcase, a_file_includes_only_its_own_folder_and_lower_floors);
    suite_add_tcase(suite, tcase);
    return suite;
}
