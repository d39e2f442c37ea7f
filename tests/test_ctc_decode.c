/* Decoding of ctc: against all labellings one by one, worked examples; edit distances and error rates. */
#include "losses/ctc_decode.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double tolerance = LG_REAL_BITS == 64 ? 1e-12 : 1e-5;

static const int32_t *path_of(const lg_ctc_labels *found, size_t sample, size_t path)
{
    return found->labels + (sample * found->paths + path) * found->width;
}

/* Two frames of blank 0.6, a 0.4: the best path is blank, blank (0.36), the best labelling "a" (0.64). */
START_TEST(the_best_path_need_not_spell_the_best_labelling)
{
    const lg_real p[] = { (lg_real)0.6, (lg_real)0.4, (lg_real)0.6, (lg_real)0.4 };
    lg_tensor *pred = lg_tensor_from(LG_SHAPE(1, 2, 2), p);
    const lg_ctc_decode_options options = { .input = LG_CTC_PROBS };
    lg_ctc_labels *greedy = lg_ctc_greedy_decode(pred, &options), *beam = lg_ctc_beam_decode(pred, 10, 3, &options);
    ck_assert_msg(greedy && beam, "%s", lg_error());
    ck_assert_uint_eq(greedy->lengths[0], 0);
    ck_assert_int_eq(greedy->labels[0], -1);
    ck_assert_double_eq_tol(greedy->scores[0], log(0.36), 1e-6);
    ck_assert_uint_eq(beam->lengths[0], 1);
    ck_assert_int_eq(path_of(beam, 0, 0)[0], 1);
    ck_assert_double_eq_tol(beam->scores[0], log(0.64), 1e-6);
    ck_assert_uint_eq(beam->lengths[1], 0);
    ck_assert_double_eq_tol(beam->scores[1], log(0.36), 1e-6);
    ck_assert(beam->scores[2] == -INFINITY && beam->lengths[2] == 0); /* there is no third */
    lg_ctc_labels_free(greedy);
    lg_ctc_labels_free(beam);
    lg_tensor_free(pred);
}
END_TEST

START_TEST(greedy_merges_repeats_then_drops_blanks)
{
    static const size_t best[2][7] = { { 1, 1, 0, 1, 2, 2, 0 }, { 2, 0, 0, 2, 1, 3, 3 } };
    lg_tensor *pred = lg_tensor_zeros(LG_SHAPE(7, 2, 4)), *lengths = lg_tensor_from_indices(LG_SHAPE(2), (const int32_t[]){ 7, 5 });
    for (size_t t = 0; t < 7; t++)
        for (size_t n = 0; n < 2; n++)
            lg_tensor_data(pred)[(t * 2 + n) * 4 + best[n][t]] = 3;
    lg_ctc_labels *found =
        lg_ctc_greedy_decode(pred, &(lg_ctc_decode_options){ .time_major = true, .input_lengths = lengths });
    ck_assert_msg(found != NULL, "%s", lg_error());
    ck_assert_uint_eq(found->width, 3);
    ck_assert_int_eq(memcmp(path_of(found, 0, 0), (const int32_t[]){ 1, 1, 2 }, 12), 0);
    ck_assert_int_eq(memcmp(path_of(found, 1, 0), (const int32_t[]){ 2, 2, 1 }, 12), 0);
    ck_assert_double_eq_tol(found->scores[1], -5 * log(1 + 3 * exp(-3)), 1e-6);
    lg_ctc_labels_free(found);
    lg_tensor_free(pred);
    lg_tensor_free(lengths);
}
END_TEST

/* -log P of every labelling from the loss; the beam that holds all prefixes finds the best of them, in order. */
START_TEST(a_wide_beam_orders_all_labellings_by_their_probability)
{
    enum { T = 4, V = 3 };
    lg_rng rng = lg_rng_seed((uint64_t)_i + 1);
    const size_t blank = (size_t)_i % V;
    lg_tensor *pred = lg_tensor_normal(LG_SHAPE(1, T, V), 0, 1.5, &rng);
    double score[31], total = 0; /* 1 + 2 + 4 + 8 + 16 labellings */
    size_t count = 0;
    for (size_t length = 0; length <= T; length++) {
        for (size_t code = 0; code < (size_t)1 << length; code++) {
            int32_t label[T];
            for (size_t u = 0; u < length; u++) {
                const size_t k = code >> u & 1;
                label[u] = (int32_t)(k < blank ? k : k + 1);
            }
            lg_tape *tape = lg_tape_new();
            lg_tensor *target = lg_tensor_from_indices(LG_SHAPE(1, length), label);
            lg_tensor *size = lg_tensor_from_indices(LG_SHAPE(1), (const int32_t[]){ (int32_t)length });
            score[count++] = -lg_tensor_item(lg_ctc(tape, pred, target, NULL, size, LG_CTC_LOGITS, blank, false, false, NULL));
            total += exp(score[count - 1]);
            lg_tensor_free(target);
            lg_tensor_free(size);
            lg_tape_free(tape);
        }
    }
    ck_assert_double_eq_tol(total, 1, tolerance);
    for (size_t i = 0; i < count; i++) /* descending */
        for (size_t j = i + 1; j < count; j++)
            if (score[j] > score[i]) {
                const double exchanged = score[i];
                score[i] = score[j], score[j] = exchanged;
            }
    lg_ctc_labels *found = lg_ctc_beam_decode(pred, 40, 40, &(lg_ctc_decode_options){ .blank = blank });
    ck_assert_msg(found != NULL, "%s", lg_error());
    for (size_t i = 0; i < 40; i++) {
        const double want = i < count ? score[i] : -INFINITY;
        ck_assert_msg(found->scores[i] == want || fabs(found->scores[i] - want) < tolerance * 10, "path %zu: %.10g, not %.10g", i,
                      found->scores[i], want);
    }
    lg_ctc_labels_free(found);
    lg_tensor_free(pred);
}
END_TEST

START_TEST(equally_likely_labellings_come_in_lexicographical_order)
{
    lg_tensor *pred = lg_tensor_zeros(LG_SHAPE(1, 1, 4));
    lg_ctc_labels *found = lg_ctc_beam_decode(pred, 3, 3, NULL);
    ck_assert_msg(found != NULL, "%s", lg_error());
    ck_assert(found->lengths[0] == 0 && path_of(found, 0, 1)[0] == 1 && path_of(found, 0, 2)[0] == 2);
    lg_ctc_labels_free(found);
    lg_tensor_free(pred);
}
END_TEST

START_TEST(nan_gives_no_labels_and_wrong_calls_are_explained)
{
    lg_tensor *pred = lg_tensor_zeros(LG_SHAPE(2, 1, 3)), *flat = lg_tensor_zeros(LG_SHAPE(3));
    lg_tensor_data(pred)[1] = (lg_real)NAN;
    lg_tensor_data(pred)[5] = 2;
    lg_ctc_labels *greedy = lg_ctc_greedy_decode(pred, NULL), *beam = lg_ctc_beam_decode(pred, 4, 1, NULL);
    ck_assert(isnan(greedy->scores[0]) && greedy->lengths[0] == 0 && greedy->lengths[1] == 1 && greedy->labels[1] == 2);
    ck_assert(isnan(beam->scores[0]) && beam->lengths[0] == 0 && beam->lengths[1] == 1 && beam->labels[1] == 2);
    lg_ctc_labels_free(greedy);
    lg_ctc_labels_free(beam);
    ck_assert_ptr_null(lg_ctc_greedy_decode(flat, NULL));
    ck_assert_str_eq(lg_error(), "ctc_greedy_decode: pred is [3], but must be [samples, frames, classes] with at least one class");
    ck_assert_ptr_null(lg_ctc_greedy_decode(pred, &(lg_ctc_decode_options){ .blank = 3 }));
    ck_assert_str_eq(lg_error(), "ctc_greedy_decode: blank is 3, but must be one of the 3 classes (0..2)");
    ck_assert_ptr_null(lg_ctc_beam_decode(pred, 2, 3, NULL));
    ck_assert_str_eq(lg_error(), "ctc_beam_decode: beam_width is 2 and top_paths 3, but 1 <= top_paths <= beam_width is wanted");
    ck_assert_ptr_null(lg_ctc_beam_decode(pred, 2, 1, &(lg_ctc_decode_options){ .input = LG_CTC_PROBS }));
    ck_assert_str_eq(lg_error(), "ctc_beam_decode: pred[5] is 2, but must be a probability in [0, 1]");
    ck_assert_int_eq(lg_error_code(), LG_E_DOMAIN);
    lg_tensor_free(pred);
    lg_tensor_free(flat);
}
END_TEST

START_TEST(error_rates_are_edits_over_the_length_of_the_references)
{
    lg_error_rate characters = { 0 }, words = { 0 }, labels = { 0 };
    size_t distance = 99;
    ck_assert_int_eq(lg_edit_distance(NULL, 0, (const int32_t[]){ 1, 2 }, 2, &distance), LG_OK);
    ck_assert_uint_eq(distance, 2);
    ck_assert_int_eq(lg_error_rate_add_characters(&characters, "kitten", "sitting"), LG_OK);
    ck_assert(characters.errors == 3 && characters.length == 6);
    ck_assert_int_eq(lg_error_rate_add_characters(&characters, "na\xC3\xAFve", "naive"), LG_OK); /* one character differs */
    ck_assert(characters.errors == 4 && characters.length == 11);
    ck_assert_double_eq_tol(lg_error_rate_value(&characters), 4.0 / 11, 1e-15);
    ck_assert_int_eq(lg_error_rate_add_words(&words, " the cat  sat on the mat\n", "the cat sat in mat mat"), LG_OK);
    ck_assert(words.errors == 2 && words.length == 6);
    ck_assert(lg_error_rate_value(&labels) == 0);
    ck_assert_int_eq(lg_error_rate_add(&labels, NULL, 0, (const int32_t[]){ 3 }, 1), LG_OK);
    ck_assert(lg_error_rate_value(&labels) == INFINITY);
    ck_assert_int_eq(lg_error_rate_add(&labels, (const int32_t[]){ 1 }, 1, (const int32_t[]){ 2, 3 }, 2), LG_OK);
    ck_assert(lg_error_rate_value(&labels) == 3);
    lg_error_clear();
    ck_assert_int_eq(lg_error_rate_add_words(&words, NULL, "a"), LG_E_PARAM);
    ck_assert_str_eq(lg_error(), "lg_error_rate_add_words: an argument is NULL");
}
END_TEST

Suite *ctc_decode_suite(void)
{
    Suite *suite = suite_create("ctc_decode");
    TCase *all = tcase_create("all");
    tcase_add_test(all, the_best_path_need_not_spell_the_best_labelling);
    tcase_add_test(all, greedy_merges_repeats_then_drops_blanks);
    tcase_add_loop_test(all, a_wide_beam_orders_all_labellings_by_their_probability, 0, 6);
    tcase_add_test(all, equally_likely_labellings_come_in_lexicographical_order);
    tcase_add_test(all, nan_gives_no_labels_and_wrong_calls_are_explained);
    tcase_add_test(all, error_rates_are_edits_over_the_length_of_the_references);
    suite_add_tcase(suite, all);
    return suite;
}
