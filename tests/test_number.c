#include "data/number_internal.h"

#include "support.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tensor/random.h"

static locale_t c_locale;

static void open_locale(void)
{
    c_locale = newlocale(LC_ALL_MASK, "C", NULL);
}

static void close_locale(void)
{
    freelocale(c_locale);
}

/* The reference: libc's correctly rounded conversion, in the C locale that a program starts in. */
static lg_real libc_value(const char *text)
{
#ifdef LG_DOUBLE
    return strtod(text, NULL);
#else
    return strtof(text, NULL);
#endif
}

static void assert_same_as_libc(const char *text)
{
    lg_real value = -77, expected = libc_value(text);
    lg_number kind = lg_number_parse(text, c_locale, &value);
    ck_assert_msg(kind == (isinf(expected) ? LG_NUMBER_TOO_LARGE : LG_NUMBER_FINITE), "%s: kind %d", text, (int)kind);
    ck_assert_msg(memcmp(&value, &expected, sizeof value) == 0, "%s: %.17g instead of %.17g", text, (double)value,
                  (double)expected);
}

START_TEST(printed_doubles_are_read_as_libc_reads_them)
{
    lg_rng rng = lg_rng_seed(1);
    for (size_t i = 0; i < 100000 / test_stride(50); i++) {
        char text[64];
        uint64_t bits = lg_rng_bits64(&rng);
        double wild, tame = lg_rng_normal(&rng) * pow(10, (double)lg_rng_below(&rng, 9) - 4);
        memcpy(&wild, &bits, sizeof wild);
        int digits = 1 + (int)lg_rng_below(&rng, 17);
        snprintf(text, sizeof text, "%.*g", digits, tame);
        assert_same_as_libc(text);
        if (isfinite(wild)) {
            snprintf(text, sizeof text, "%.*g", digits, wild);
            assert_same_as_libc(text);
        }
    }
}
END_TEST

START_TEST(random_digits_are_read_as_libc_reads_them)
{
    lg_rng rng = lg_rng_seed(2);
    for (size_t i = 0; i < 100000 / test_stride(50); i++) {
        char text[80];
        size_t used = 0, before = lg_rng_below(&rng, 14), after = lg_rng_below(&rng, 14) + (before == 0);
        if (lg_rng_below(&rng, 2))
            text[used++] = "-+"[lg_rng_below(&rng, 2)];
        for (size_t k = 0; k < before; k++)
            text[used++] = (char)('0' + lg_rng_below(&rng, 10));
        if (after || lg_rng_below(&rng, 2))
            text[used++] = '.';
        for (size_t k = 0; k < after; k++)
            text[used++] = (char)('0' + lg_rng_below(&rng, 10));
        text[used] = '\0';
        if (lg_rng_below(&rng, 2))
            snprintf(text + used, sizeof text - used, "%c%d", "eE"[lg_rng_below(&rng, 2)],
                     (int)lg_rng_below(&rng, 100) - 50);
        assert_same_as_libc(text);
    }
}
END_TEST

/* A decimal beside the midpoint of two floats may round to it as a double, and then to the wrong float. */
START_TEST(decimals_beside_midpoints_of_floats_are_rounded_once)
{
    lg_rng rng = lg_rng_seed(3);
    for (size_t i = 0; i < 30000 / test_stride(50); i++) {
        uint32_t bits = lg_rng_bits(&rng) & 0x7FFFFFFF;
        float low;
        memcpy(&low, &bits, sizeof low);
        if (!isfinite(low))
            continue;
        double middle = ((double)low + (double)nextafterf(low, INFINITY)) / 2;
        char text[400];
        snprintf(text, sizeof text, "%.30e", middle);
        assert_same_as_libc(text);
        snprintf(text, sizeof text, "%.*e", 8 + (int)lg_rng_below(&rng, 10), middle);
        assert_same_as_libc(text);
    }
    assert_same_as_libc("16777217");
    assert_same_as_libc("16777217.0000001");
    assert_same_as_libc("16777216.9999999");
    assert_same_as_libc("1.00000005960464477539062500000000000000000000001");
}
END_TEST

START_TEST(the_edges_of_the_range_are_read_as_libc_reads_them)
{
    static const char *const texts[] = {
        "0", "-0", "0e999", "00000000000000000000000000.5", "18446744073709551616", "36893488147419103232",
        "9007199254740993", "9007199254740992", "1e22", "1e23", "123456789012345678901234567890",
        "0.000000000000000000000000000000000000000000001", "1.401298464324817e-45", "7.006492321624085e-46",
        "7.006492321624086e-46", "1.1754943508222875e-38", "1.17549431e-38", "3.4028234663852886e38",
        "3.4028235677973366e38", "3.4028235677973362e38", "1e39", "1e308", "1.7976931348623159e308", "1e400", "-1e400",
        "4.9e-324", "1e-400", "1e99999999999999999999", "1e-99999999999999999999", "5.", ".5", "+.5e+1" };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_same_as_libc(texts[i]);
}
END_TEST

START_TEST(what_is_not_a_number_is_refused)
{
    static const char *const texts[] = { "", "-", "+", ".", "e5", ".e5", "1e", "1e+", "1.2.3", "12,5", "1 2", " 1", "1 ",
                                         "0x10", "1_000", "1f", "--1", "+-1", "infinit", "nanx", "NaN(1)", "1e5.0", "١" };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        lg_real value;
        ck_assert_msg(lg_number_parse(texts[i], c_locale, &value) == LG_NUMBER_NONE, "\"%s\"", texts[i]);
    }
}
END_TEST

START_TEST(words_for_infinity_and_nan_are_told_apart)
{
    lg_real value;
    ck_assert_int_eq(lg_number_parse("-Inf", c_locale, &value), LG_NUMBER_INFINITE);
    ck_assert(isinf(value) && value < 0);
    ck_assert_int_eq(lg_number_parse("+infinity", c_locale, &value), LG_NUMBER_INFINITE);
    ck_assert(isinf(value) && value > 0);
    ck_assert_int_eq(lg_number_parse("NaN", c_locale, &value), LG_NUMBER_NAN);
    ck_assert(isnan(value));
}
END_TEST

Suite *number_suite(void)
{
    Suite *suite = suite_create("number");
    TCase *tcase = tcase_create("number");
    tcase_add_checked_fixture(tcase, open_locale, close_locale);
    tcase_add_test(tcase, printed_doubles_are_read_as_libc_reads_them);
    tcase_add_test(tcase, random_digits_are_read_as_libc_reads_them);
    tcase_add_test(tcase, decimals_beside_midpoints_of_floats_are_rounded_once);
    tcase_add_test(tcase, the_edges_of_the_range_are_read_as_libc_reads_them);
    tcase_add_test(tcase, what_is_not_a_number_is_refused);
    tcase_add_test(tcase, words_for_infinity_and_nan_are_told_apart);
    suite_add_tcase(suite, tcase);
    return suite;
}
