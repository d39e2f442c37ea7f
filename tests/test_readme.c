/* What README.md shows is true: its C compiles, and its model is the one in examples/. */
#include "program.h"
#include "support.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *source_file(const char *name)
{
    ck_assert_int_eq(program_run("cp \"$source/%s\" copy", name), 0);
    return program_file("copy");
}

START_TEST(every_block_of_c_compiles)
{
    const char *compiler = getenv("LG_CC"), *at = source_file("README.md");
    size_t blocks = 0;
    for (const char *end; (at = strstr(at, "\n```c\n")) != NULL; at = end, blocks++) {
        at += strlen("\n```c\n");
        end = strstr(at, "\n```\n");
        ck_assert_ptr_nonnull(end);
        char *block = strndup(at, (size_t)(end - at + 1));
        program_write("block.c", block);
        free(block);
        ck_assert_msg(program_run("%s -std=c17 -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror -I\"$source/src\" "
                                  "$LG_CFLAGS -fsyntax-only block.c",
                                  compiler ? compiler : "cc") == 0,
                      "block %zu: %s", blocks + 1, program_file("err"));
    }
    ck_assert_uint_ge(blocks, 2);
}
END_TEST

START_TEST(the_model_is_the_example)
{
    const char *example = strstr(source_file("examples/digits.c"), "#include");
    ck_assert_ptr_nonnull(example);
    char *code = strdup(example);
    ck_assert_ptr_nonnull(strstr(source_file("README.md"), code));
    free(code);
}
END_TEST

Suite *readme_suite(void)
{
    Suite *suite = suite_create("readme");
    TCase *tests = tcase_create("readme");
    tcase_add_checked_fixture(tests, program_setup, program_teardown);
    tcase_add_test(tests, every_block_of_c_compiles);
    tcase_add_test(tests, the_model_is_the_example);
    suite_add_tcase(suite, tests);
    return suite;
}
