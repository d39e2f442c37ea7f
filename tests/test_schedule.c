#include "optim/schedule.h"
#include "reference/schedules.h"

#include <check.h>
#include <math.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void expect_rate(double found, double expected, const char *kind, int t)
{
    ck_assert_msg(fabs(found - expected) <= 1e-14, "%s, epoch %d: %.17g, expected %.17g", kind, t, found, expected);
}

/* PyTorch multiplies its way from epoch to epoch; the closed form differs by rounding, a few 1e-17 of 0.1. */
START_TEST(rates_equal_pytorch)
{
    const struct reference_schedule *r = &reference_schedules[_i];
    lg_schedule schedule = lg_schedule_constant();
    if (strcmp(r->kind, "step") == 0)
        schedule = lg_schedule_step((size_t)r->every, r->gamma);
    else if (strcmp(r->kind, "exponential") == 0)
        schedule = lg_schedule_exponential(r->gamma);
    else if (strcmp(r->kind, "cosine") == 0)
        schedule = lg_schedule_cosine((size_t)r->warm_up, (size_t)(r->warm_up + r->length), r->minimum);
    ck_assert_int_ne(schedule.kind, LG_SCHEDULE_CONSTANT);
    for (int t = 0; t < r->epochs; t++)
        expect_rate(lg_schedule_rate(&schedule, REFERENCE_BASE_RATE, (size_t)t), r->rate[t], r->kind, t);
}
END_TEST

static lg_schedule reference_plateau_schedule(const struct reference_plateau *r)
{
    lg_schedule schedule = lg_schedule_plateau(r->factor, (size_t)r->patience);
    schedule.threshold = r->threshold;
    schedule.absolute = r->absolute_threshold;
    schedule.maximize = r->maximise;
    schedule.cooldown = (size_t)r->cooldown;
    schedule.final_rate = r->minimum;
    return schedule;
}

START_TEST(plateau_equals_pytorch)
{
    const struct reference_plateau *r = &reference_plateaus[_i];
    lg_schedule schedule = reference_plateau_schedule(r);
    for (int t = 0; t < r->epochs; t++) {
        expect_rate(lg_schedule_rate(&schedule, REFERENCE_BASE_RATE, (size_t)t), r->rate[t], "plateau", t);
        ck_assert_int_eq(lg_schedule_observe(&schedule, r->metric[t]), LG_OK);
    }
}
END_TEST

/* A checkpoint keeps the state alone; a schedule made anew goes on from it. */
START_TEST(plateau_resumes_from_its_state)
{
    const struct reference_plateau *r = &reference_plateaus[2];
    lg_schedule first = reference_plateau_schedule(r);
    for (int t = 0; t < 12; t++)
        ck_assert_int_eq(lg_schedule_observe(&first, r->metric[t]), LG_OK);
    lg_schedule second = reference_plateau_schedule(r);
    second.state = first.state;
    for (int t = 12; t < r->epochs; t++) {
        expect_rate(lg_schedule_rate(&second, REFERENCE_BASE_RATE, 0), r->rate[t], "resumed plateau", t);
        ck_assert_int_eq(lg_schedule_observe(&second, r->metric[t]), LG_OK);
    }
}
END_TEST

START_TEST(nothing_and_zeros_are_the_constant_schedule)
{
    const lg_schedule zeros = { 0 };
    for (size_t t = 0; t < 1000; t += 111) {
        ck_assert_double_eq(lg_schedule_rate(NULL, 0.3, t), 0.3);
        ck_assert_double_eq(lg_schedule_rate(&zeros, 0.3, t), 0.3);
    }
    ck_assert_int_eq(lg_schedule_check(NULL), LG_OK);
    lg_schedule constant = lg_schedule_constant();
    ck_assert_int_eq(lg_schedule_observe(&constant, 1), LG_OK);
    ck_assert_double_eq(lg_schedule_rate(&constant, 0.3, 5), 0.3);
}
END_TEST

START_TEST(cosine_stays_at_its_final_rate_beyond_the_end)
{
    const lg_schedule schedule = lg_schedule_cosine(2, 10, 0.01);
    ck_assert_double_eq(lg_schedule_rate(&schedule, 1, 10), 0.01);
    ck_assert_double_eq(lg_schedule_rate(&schedule, 1, SIZE_MAX), 0.01);
    const lg_schedule only_warm_up = lg_schedule_cosine(4, 4, 0.5);
    ck_assert_double_eq(lg_schedule_rate(&only_warm_up, 1, 3), 1);
    ck_assert_double_eq(lg_schedule_rate(&only_warm_up, 1, 4), 0.5);
}
END_TEST

/* Keras's InverseTimeDecay, and Pegasos's 1 / (lambda t). */
START_TEST(inverse_divides_by_one_plus_decay_t)
{
    const lg_schedule tenth = lg_schedule_inverse(0.1), pegasos = lg_schedule_inverse(1);
    ck_assert_double_eq(lg_schedule_rate(&tenth, 0.5, 0), 0.5);
    ck_assert_double_eq_tol(lg_schedule_rate(&tenth, 0.5, 10), 0.25, 1e-15);
    ck_assert_double_eq_tol(lg_schedule_rate(&tenth, 0.5, 1000), 0.5 / 101, 1e-15);
    for (size_t t = 1; t < 1000; t += 99)
        ck_assert_double_eq_tol(lg_schedule_rate(&pegasos, 1 / 0.01, t - 1), 1 / (0.01 * (double)t), 1e-12);
}
END_TEST

static void expect_refused(lg_schedule schedule, const char *part)
{
    lg_error_clear();
    ck_assert_int_eq(lg_schedule_check(&schedule), LG_E_PARAM);
    ck_assert_msg(strstr(lg_error(), part) != NULL, "\"%s\" does not say \"%s\"", lg_error(), part);
    lg_error_clear();
    ck_assert(isnan(lg_schedule_rate(&schedule, 0.1, 0)));
    ck_assert_int_eq(lg_error_code(), LG_E_PARAM);
    ck_assert_int_eq(lg_schedule_observe(&schedule, 1), LG_E_PARAM);
}

START_TEST(fields_outside_their_range_are_refused)
{
    lg_schedule bad = lg_schedule_plateau(0.5, 1);
    expect_refused(lg_schedule_step(0, 0.5), "every is 0");
    expect_refused(lg_schedule_step(2, 0), "factor is 0");
    expect_refused(lg_schedule_exponential(-0.5), "factor is -0.5");
    expect_refused(lg_schedule_exponential((double)NAN), "factor is nan");
    expect_refused(lg_schedule_cosine(5, 4, 0), "warm_up is 5 of total 4");
    expect_refused(lg_schedule_cosine(0, 0, 0), "total 0");
    expect_refused(lg_schedule_cosine(0, 4, -1), "final_rate is -1");
    expect_refused(lg_schedule_inverse(-1), "decay is -1");
    expect_refused(lg_schedule_inverse((double)INFINITY), "decay is inf");
    expect_refused(lg_schedule_plateau(1, 1), "factor is 1");
    bad.threshold = -1;
    expect_refused(bad, "threshold is -1");
    bad.threshold = 0;
    bad.unit = LG_PER_STEP;
    expect_refused(bad, "LG_PER_EPOCH");
    bad.kind = (lg_schedule_kind)77;
    expect_refused(bad, "kind 77");
    ck_assert(isnan(lg_schedule_rate(NULL, -1, 0)));
    lg_error_clear();
    ck_assert_int_eq(lg_schedule_observe(NULL, 1), LG_E_PARAM);
}
END_TEST

Suite *schedule_suite(void)
{
    Suite *suite = suite_create("schedule");
    TCase *tcase = tcase_create("schedule");
    tcase_add_checked_fixture(tcase, lg_error_clear, NULL);
    tcase_add_loop_test(tcase, rates_equal_pytorch, 0, (int)COUNT(reference_schedules));
    tcase_add_loop_test(tcase, plateau_equals_pytorch, 0, (int)COUNT(reference_plateaus));
    tcase_add_test(tcase, plateau_resumes_from_its_state);
    tcase_add_test(tcase, nothing_and_zeros_are_the_constant_schedule);
    tcase_add_test(tcase, cosine_stays_at_its_final_rate_beyond_the_end);
    tcase_add_test(tcase, inverse_divides_by_one_plus_decay_t);
    tcase_add_test(tcase, fields_outside_their_range_are_refused);
    suite_add_tcase(suite, tcase);
    return suite;
}
