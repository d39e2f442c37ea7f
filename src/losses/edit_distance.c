/* Edit distance and error rates of sequences (ctc_decode.h). */
#include "losses/ctc_decode.h"
#include "tensor/memory_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static size_t least_of(size_t a, size_t b, size_t c)
{
    const size_t ab = a < b ? a : b;
    return ab < c ? ab : c;
}

/* row[j] = distance between the first i of the reference and the first j of the hypothesis. */
lg_status lg_edit_distance(const int32_t *reference, size_t reference_length, const int32_t *hypothesis,
                           size_t hypothesis_length, size_t *distance)
{
    if (!distance || (!reference && reference_length) || (!hypothesis && hypothesis_length))
        return lg_fail_null("lg_edit_distance: an argument is NULL");
    size_t *row = hypothesis_length < SIZE_MAX ? lg_calloc(hypothesis_length + 1, sizeof *row, "lg_edit_distance") : NULL;
    if (!row)
        return LG_E_MEMORY;
    for (size_t j = 0; j <= hypothesis_length; j++)
        row[j] = j;
    for (size_t i = 1; i <= reference_length; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= hypothesis_length; j++) {
            const size_t above = row[j];
            row[j] = least_of(above + 1, row[j - 1] + 1, diagonal + (reference[i - 1] != hypothesis[j - 1]));
            diagonal = above;
        }
    }
    *distance = row[hypothesis_length];
    free(row);
    return LG_OK;
}

lg_status lg_error_rate_add(lg_error_rate *rate, const int32_t *reference, size_t reference_length,
                            const int32_t *hypothesis, size_t hypothesis_length)
{
    size_t distance;
    if (!rate)
        return lg_fail_null("lg_error_rate_add: rate is NULL");
    lg_status status = lg_edit_distance(reference, reference_length, hypothesis, hypothesis_length, &distance);
    if (status == LG_OK) {
        rate->errors += distance;
        rate->length += reference_length;
    }
    return status;
}

double lg_error_rate_value(const lg_error_rate *rate)
{
    if (!rate || rate->length == 0)
        return rate && rate->errors ? INFINITY : 0;
    return (double)rate->errors / (double)rate->length;
}

/* -------------------------------------------------------------- characters */

/* The code point that begins at `text`, and how many bytes it takes; a byte that begins none stands for itself, beyond
 * all code points. */
static int32_t code_point(const unsigned char *text, size_t *bytes)
{
    static const struct {
        unsigned char mask, lead;
        int32_t least;
    } forms[] = { { 0x80, 0x00, 0 }, { 0xE0, 0xC0, 0x80 }, { 0xF0, 0xE0, 0x800 }, { 0xF8, 0xF0, 0x10000 } };
    for (size_t length = 1; length <= 4; length++) {
        if ((text[0] & forms[length - 1].mask) != forms[length - 1].lead)
            continue;
        int32_t value = text[0] & (unsigned char)~forms[length - 1].mask;
        size_t i = 1;
        for (; i < length && (text[i] & 0xC0) == 0x80; i++)
            value = value << 6 | (text[i] & 0x3F);
        if (i < length || value < forms[length - 1].least)
            break;
        *bytes = length;
        return value;
    }
    *bytes = 1;
    return 0x110000 + text[0];
}

/* The characters of a text, in memory of the caller's. */
static int32_t *characters_of(const char *text, size_t *count)
{
    int32_t *characters = lg_calloc(strlen(text) + 1, sizeof *characters, "lg_error_rate_add_characters");
    *count = 0;
    for (size_t bytes; characters && *text; text += bytes)
        characters[(*count)++] = code_point((const unsigned char *)text, &bytes);
    return characters;
}

lg_status lg_error_rate_add_characters(lg_error_rate *rate, const char *reference, const char *hypothesis)
{
    size_t count[2];
    if (!rate || !reference || !hypothesis)
        return lg_fail_null("lg_error_rate_add_characters: an argument is NULL");
    int32_t *of_reference = characters_of(reference, &count[0]), *of_hypothesis = characters_of(hypothesis, &count[1]);
    lg_status status = of_reference && of_hypothesis ? lg_error_rate_add(rate, of_reference, count[0], of_hypothesis, count[1])
                                                     : LG_E_MEMORY;
    free(of_reference);
    free(of_hypothesis);
    return status;
}

/* ------------------------------------------------------------------- words */

typedef struct word {
    const char *text;
    size_t length, place; /* among the words of both texts */
} word;

/* White space in any locale. */
static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static size_t split(const char *text, word *words, size_t count)
{
    while (*text) {
        while (is_space(*text))
            text++;
        size_t length = 0;
        while (text[length] && !is_space(text[length]))
            length++;
        if (length) {
            words[count] = (word){ text, length, count };
            count++;
        }
        text += length;
    }
    return count;
}

static int by_text(const void *a, const void *b)
{
    const word *of_a = a, *of_b = b;
    const int order = memcmp(of_a->text, of_b->text, of_a->length < of_b->length ? of_a->length : of_b->length);
    return order ? order : (of_a->length > of_b->length) - (of_a->length < of_b->length);
}

/* Numbers for the words of both texts, equal words with equal numbers. */
static void number_words(word *words, size_t count, int32_t *numbers)
{
    int32_t number = 0;
    qsort(words, count, sizeof *words, by_text);
    for (size_t i = 0; i < count; i++) {
        number += i > 0 && by_text(&words[i - 1], &words[i]) != 0;
        numbers[words[i].place] = number;
    }
}

lg_status lg_error_rate_add_words(lg_error_rate *rate, const char *reference, const char *hypothesis)
{
    if (!rate || !reference || !hypothesis)
        return lg_fail_null("lg_error_rate_add_words: an argument is NULL");
    const size_t most = strlen(reference) / 2 + strlen(hypothesis) / 2 + 2; /* words are separated */
    word *words = lg_calloc(most, sizeof *words, "lg_error_rate_add_words");
    int32_t *numbers = lg_calloc(most, sizeof *numbers, "lg_error_rate_add_words");
    lg_status status = LG_E_MEMORY;
    if (words && numbers) {
        const size_t of_reference = split(reference, words, 0), count = split(hypothesis, words, of_reference);
        number_words(words, count, numbers);
        status = lg_error_rate_add(rate, numbers, of_reference, numbers + of_reference, count - of_reference);
    }
    free(words);
    free(numbers);
    return status;
}
