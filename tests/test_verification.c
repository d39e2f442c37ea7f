/* Rates of verification: by hand, and against counting pair by pair at every threshold. */
#include "train/verification.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fail_alloc.h"
#include "tensor/random.h"

enum { MOST = 60 };

static void expect_error(lg_status code, const char *part)
{
    ck_assert_int_eq(lg_error_code(), code);
    ck_assert_msg(strstr(lg_error(), part) != NULL, "\"%s\" does not say \"%s\"", lg_error(), part);
    lg_error_clear();
}

START_TEST(equal_error_rates_by_hand)
{
    static const struct {
        lg_real scores[6];
        int32_t labels[6];
        size_t n;
        double rate, threshold;
    } cases[] = {
        { { 4, 3, 2, 1 }, { 1, 1, 0, 0 }, 4, 0, 3 },             /* told apart */
        { { 1, 2, 3, 4 }, { 1, 1, 0, 0 }, 4, 1, 3 },             /* the wrong way round */
        { { 7, 7, 7, 7 }, { 1, 0, 1, 0 }, 4, 0.5, 7 },           /* all alike: halfway along one line */
        { { 9, 6, 4, 5, 3, 1 }, { 1, 1, 1, 0, 0, 0 }, 6, 1.0 / 3, 5 }, /* at 5: one 0 of 3 in, one 1 of 3 out */
        { { 9, 4, 5, 1 }, { 1, 1, 0, 0 }, 4, 0.5, 5 },
        { { 5, 5, 3, 1 }, { 1, 0, 1, 0 }, 4, 0.5, 5 },           /* (0, 0) to (1/2, 1/2) meets x + y = 1 at its end */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double rate, threshold;
        ck_assert_int_eq(lg_equal_error_rate(cases[i].n, cases[i].scores, cases[i].labels, &rate, &threshold), LG_OK);
        ck_assert_msg(fabs(rate - cases[i].rate) < 1e-12, "case %zu: %g", i, rate);
        ck_assert_msg(threshold == cases[i].threshold, "case %zu: at %g", i, threshold);
    }
}
END_TEST

/* Accepted 0s and rejected 1s at a threshold, one by one. */
static void count_errors(size_t n, const lg_real *scores, const int32_t *labels, double t, double *far, double *frr)
{
    double count[2] = { 0, 0 }, wrong[2] = { 0, 0 };
    for (size_t i = 0; i < n; i++) {
        count[labels[i]]++;
        wrong[labels[i]] += labels[i] ? (double)scores[i] < t : (double)scores[i] >= t;
    }
    *far = wrong[0] / count[0];
    *frr = wrong[1] / count[1];
}

/* A random case with ties, both classes in it. */
static size_t random_case(lg_rng *rng, lg_real *scores, int32_t *labels)
{
    const size_t n = 2 + (size_t)lg_rng_below(rng, MOST - 1);
    for (size_t i = 0; i < n; i++) {
        labels[i] = i < 2 ? (int32_t)i : (int32_t)lg_rng_below(rng, 2);
        scores[i] = (lg_real)((double)lg_rng_below(rng, 30) / 8 + (double)labels[i]);
    }
    return n;
}

START_TEST(no_threshold_has_both_rates_below_the_equal_error_rate)
{
    lg_rng rng = lg_rng_seed(3);
    lg_real scores[MOST];
    int32_t labels[MOST];
    for (int trial = 0; trial < 500; trial++) {
        const size_t n = random_case(&rng, scores, labels);
        double rate, at, far_at, frr_at, far_above = 0, frr_above = 1;
        ck_assert_int_eq(lg_equal_error_rate(n, scores, labels, &rate, &at), LG_OK);
        count_errors(n, scores, labels, at, &far_at, &frr_at);
        ck_assert(far_at >= frr_at);
        for (size_t i = 0; i < n; i++) { /* the next threshold above: the highest FAR that is below FRR */
            double far, frr;
            count_errors(n, scores, labels, (double)scores[i], &far, &frr);
            if ((double)scores[i] > at) {
                ck_assert(far < frr);
                if (frr < frr_above || (frr == frr_above && far > far_above))
                    frr_above = frr, far_above = far;
            }
        }
        /* between the two points, on the line y = 1 - x */
        const double share = (frr_above - far_above) / ((frr_above - far_above) + (far_at - frr_at));
        ck_assert_double_eq_tol(rate, far_above + share * (far_at - far_above), 1e-12);
        ck_assert_double_eq_tol(rate, frr_above + share * (frr_at - frr_above), 1e-12);
    }
}
END_TEST

START_TEST(the_threshold_accepts_most_at_a_rate_of_false_accepts)
{
    lg_rng rng = lg_rng_seed(4);
    lg_real scores[MOST];
    int32_t labels[MOST];
    const double rates[] = { 0, 0.01, 0.1, 0.5, 1 };
    for (int trial = 0; trial < 500; trial++) {
        const size_t n = random_case(&rng, scores, labels);
        const double most = rates[trial % 5];
        double threshold, accepted, best = INFINITY;
        ck_assert_int_eq(lg_threshold_at_false_accepts(n, scores, labels, most, &threshold, &accepted), LG_OK);
        for (size_t i = 0; i < n; i++) {
            double far, frr;
            count_errors(n, scores, labels, (double)scores[i], &far, &frr);
            if (far <= most && (double)scores[i] < best)
                best = (double)scores[i];
        }
        ck_assert(threshold == best);
        double far, frr, accuracy, right = 0;
        ck_assert_int_eq(lg_rates_at(n, scores, labels, threshold, &far, &frr, &accuracy), LG_OK);
        ck_assert_double_le(far, most);
        ck_assert_double_eq_tol(accepted, 1 - frr, 1e-12);
        for (size_t i = 0; i < n; i++)
            right += ((double)scores[i] >= threshold) == (labels[i] == 1);
        ck_assert_double_eq_tol(accuracy, right / (double)n, 1e-12);
    }
}
END_TEST

START_TEST(a_class_without_pairs_leaves_rates_undefined)
{
    const lg_real scores[] = { 1, 2 };
    const int32_t ones[] = { 1, 1 }, zeros[] = { 0, 0 };
    double a, b, c;
    for (int k = 0; k < 2; k++) {
        ck_assert_int_eq(lg_equal_error_rate(2, scores, k ? ones : zeros, &a, &b), LG_OK);
        ck_assert(isnan(a) && isnan(b));
    }
    ck_assert_int_eq(lg_threshold_at_false_accepts(2, scores, ones, 0.1, &a, &b), LG_OK);
    ck_assert(isnan(a) && isnan(b));
    ck_assert_int_eq(lg_threshold_at_false_accepts(2, scores, zeros, 0.4, &a, &b), LG_OK);
    ck_assert(isinf(a) && isnan(b));
    ck_assert_int_eq(lg_rates_at(2, scores, ones, 1.5, &a, &b, &c), LG_OK);
    ck_assert(isnan(a) && b == 0.5 && c == 0.5);
}
END_TEST

START_TEST(what_is_no_score_or_rate_is_refused)
{
    const lg_real scores[] = { 1, (lg_real)NAN };
    const int32_t labels[] = { 1, 0 }, wrong[] = { 1, 2 };
    double t;
    ck_assert_int_eq(lg_equal_error_rate(2, scores, labels, &t, NULL), LG_E_DOMAIN);
    lg_error_clear();
    ck_assert_int_eq(lg_threshold_at_false_accepts(1, scores, labels, 1.5, &t, NULL), LG_E_PARAM);
    expect_error(LG_E_PARAM, "a rate of 1.5; it lies in [0, 1]");
    ck_assert_int_eq(lg_threshold_at_false_accepts(1, NULL, labels, 0.5, &t, NULL), LG_E_PARAM);
    lg_error_clear();
    ck_assert_int_eq(lg_rates_at(2, scores, labels, 0, NULL, NULL, NULL), LG_E_DOMAIN);
    expect_error(LG_E_DOMAIN, "score 1 is nan");
    ck_assert_int_eq(lg_rates_at(1, scores, labels, NAN, NULL, NULL, NULL), LG_E_PARAM);
    expect_error(LG_E_PARAM, "the threshold is NaN");
    ck_assert_int_eq(lg_rates_at(1, NULL, labels, 0, NULL, NULL, NULL), LG_E_PARAM);
    lg_error_clear();
    ck_assert_int_eq(lg_equal_error_rate(2, (const lg_real[]){ 1, 2 }, wrong, &t, NULL), LG_E_DOMAIN);
}
END_TEST

static lg_status all_of_them(void *context)
{
    const lg_real scores[] = { 3, 1, 2, 4 };
    const int32_t labels[] = { 1, 0, 1, 0 };
    (void)context;
    lg_status status = lg_equal_error_rate(4, scores, labels, NULL, NULL);
    return status == LG_OK ? lg_threshold_at_false_accepts(4, scores, labels, 0.1, NULL, NULL) : status;
}

START_TEST(running_out_of_memory_is_an_error)
{
    ck_assert_uint_ge(for_each_allocation_failure(all_of_them, NULL), 4);
}
END_TEST

Suite *verification_suite(void)
{
    Suite *suite = suite_create("verification");
    TCase *tcase = tcase_create("verification");
    tcase_add_test(tcase, equal_error_rates_by_hand);
    tcase_add_test(tcase, no_threshold_has_both_rates_below_the_equal_error_rate);
    tcase_add_test(tcase, the_threshold_accepts_most_at_a_rate_of_false_accepts);
    tcase_add_test(tcase, a_class_without_pairs_leaves_rates_undefined);
    tcase_add_test(tcase, what_is_no_score_or_rate_is_refused);
    tcase_add_test(tcase, running_out_of_memory_is_an_error);
    suite_add_tcase(suite, tcase);
    return suite;
}
