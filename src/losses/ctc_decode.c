/* Decoding of connectionist temporal classification (ctc_decode.h). */
#include "losses/ctc_decode.h"

#include "losses/ctc_internal.h"
#include "tensor/memory_internal.h"
#include "tensor/tensor_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------ frames */

typedef struct decoder {
    const char *name;
    const lg_tensor *pred;
    lg_ctc_decode_options options;
    lg_ctc_shape shape;
    double *log_y; /* [T, V] of one sample */
} decoder;

static size_t frames_of(const decoder *d, size_t sample)
{
    return d->options.input_lengths ? (size_t)d->options.input_lengths->index[sample] : d->shape.frames;
}

static lg_status check_input(decoder *d, const lg_tensor *pred, const lg_ctc_decode_options *options)
{
    if (!pred)
        return lg_fail_null("%s: pred is NULL", d->name);
    d->pred = pred;
    d->options = options ? *options : (lg_ctc_decode_options){ 0 };
    const lg_tensor *lengths = d->options.input_lengths;
    if (pred->dtype != LG_REAL || !lg_tensor_alive(pred))
        return lg_fail(LG_E_DTYPE, "%s: pred must be a live tensor of real numbers", d->name);
    if (lengths && (lengths->dtype != LG_INT32 || !lg_tensor_alive(lengths)))
        return lg_fail(LG_E_DTYPE, "%s: input_lengths must be a live tensor of int32", d->name);
    if (d->options.input > LG_CTC_PROBS || !(d->options.eps >= 0 && d->options.eps < 0.5))
        return lg_fail(LG_E_PARAM, "%s: input is %d and eps %g, but must be one of lg_ctc_input and in [0, 0.5)", d->name,
                       (int)d->options.input, d->options.eps);
    if (d->options.eps == 0)
        d->options.eps = 1e-7;
    lg_status status = lg_ctc_read_shape(d->name, pred, d->options.time_major, &d->shape);
    if (status == LG_OK)
        status = lg_ctc_check_blank(d->name, (double)d->options.blank, d->shape.classes);
    if (status == LG_OK && lengths)
        status = lg_ctc_check_lengths(d->name, "input_lengths", lengths, d->shape.samples, d->shape.frames);
    for (size_t i = 0; status == LG_OK && d->options.input == LG_CTC_PROBS && i < pred->size; i++)
        if (pred->real[i] < (lg_real)-1e-6 || pred->real[i] > 1 + (lg_real)1e-6)
            status = lg_fail(LG_E_DOMAIN, "%s: pred[%zu] is %g, but must be a probability in [0, 1]", d->name, i,
                             (double)pred->real[i]);
    return status;
}

static void log_softmax(size_t classes, double *x)
{
    double largest = x[0], sum = 0;
    for (size_t k = 1; k < classes; k++)
        largest = x[k] > largest ? x[k] : largest;
    for (size_t k = 0; k < classes; k++)
        sum += exp(x[k] - largest);
    for (size_t k = 0; k < classes; k++)
        x[k] = x[k] - largest - log(sum);
}

/* Fills log_y with the sample's log probabilities; false if one of them is NaN. */
static bool read_frames(const decoder *d, size_t sample)
{
    const size_t classes = d->shape.classes;
    const double eps = d->options.eps;
    bool numbers = true;
    for (size_t t = 0; t < frames_of(d, sample); t++) {
        const lg_real *frame = d->pred->real + lg_ctc_frame_at(&d->shape, sample, t);
        double *row = d->log_y + t * classes;
        for (size_t k = 0; k < classes; k++) {
            const double x = (double)frame[k];
            row[k] = d->options.input != LG_CTC_PROBS ? x : log(x < eps ? eps : x > 1 - eps ? 1 - eps : x);
        }
        if (d->options.input == LG_CTC_LOGITS)
            log_softmax(classes, row);
        for (size_t k = 0; k < classes; k++)
            numbers = numbers && !isnan(row[k]);
    }
    return numbers;
}

/* ------------------------------------------------------------------ result */

void lg_ctc_labels_free(lg_ctc_labels *labels)
{
    if (!labels)
        return;
    free(labels->labels);
    free(labels->lengths);
    free(labels->scores);
    free(labels);
}

/* Room for labellings as long as there are frames. */
static lg_ctc_labels *new_labels(const decoder *d, size_t paths)
{
    lg_ctc_labels *result = lg_calloc(1, sizeof *result, d->name);
    size_t count, size;
    if (!result)
        return NULL;
    *result = (lg_ctc_labels){ .samples = d->shape.samples, .paths = paths, .width = d->shape.frames ? d->shape.frames : 1 };
    if (!lg_size_mul(result->samples, paths, &count) || !lg_size_mul(count, result->width, &size)) {
        lg_fail(LG_E_MEMORY, "%s: %zu paths of %zu samples are more than memory can hold", d->name, paths, result->samples);
        lg_ctc_labels_free(result);
        return NULL;
    }
    result->labels = lg_calloc(size, sizeof *result->labels, d->name);
    result->lengths = lg_calloc(count, sizeof *result->lengths, d->name);
    result->scores = lg_calloc(count, sizeof *result->scores, d->name);
    if (!result->labels || !result->lengths || !result->scores) {
        lg_ctc_labels_free(result);
        return NULL;
    }
    return result;
}

/* Makes the rows as short as the longest labelling allows, in place: a row never moves back. */
static void tighten(lg_ctc_labels *result)
{
    const size_t rows = result->samples * result->paths, from = result->width;
    size_t width = 1;
    for (size_t r = 0; r < rows; r++)
        width = result->lengths[r] > width ? result->lengths[r] : width;
    for (size_t r = 0; r < rows; r++) {
        memmove(result->labels + r * width, result->labels + r * from, result->lengths[r] * sizeof *result->labels);
        for (size_t u = result->lengths[r]; u < width; u++)
            result->labels[r * width + u] = -1;
    }
    result->width = width;
}

/* ------------------------------------------------------------------ greedy */

static void decode_greedily(const decoder *d, size_t sample, lg_ctc_labels *result)
{
    const size_t classes = d->shape.classes;
    int32_t *labels = result->labels + sample * result->width;
    size_t before = d->options.blank, length = 0;
    double score = 0;
    for (size_t t = 0; t < frames_of(d, sample); t++) {
        const double *row = d->log_y + t * classes;
        size_t best = 0;
        for (size_t k = 1; k < classes; k++)
            best = row[k] > row[best] ? k : best;
        score += row[best];
        if (best != before && best != d->options.blank)
            labels[length++] = (int32_t)best;
        before = best;
    }
    result->lengths[sample] = length;
    result->scores[sample] = score;
}

static lg_status allocate_frames(decoder *d)
{
    d->log_y = lg_calloc(d->shape.frames, d->shape.classes * sizeof *d->log_y, d->name);
    return d->log_y ? LG_OK : LG_E_MEMORY;
}

lg_ctc_labels *lg_ctc_greedy_decode(const lg_tensor *pred, const lg_ctc_decode_options *options)
{
    decoder d = { .name = "ctc_greedy_decode" };
    if (check_input(&d, pred, options) != LG_OK || allocate_frames(&d) != LG_OK)
        return NULL;
    lg_ctc_labels *result = new_labels(&d, 1);
    for (size_t n = 0; result && n < d.shape.samples; n++) {
        if (read_frames(&d, n))
            decode_greedily(&d, n, result);
        else
            result->scores[n] = (double)NAN;
    }
    if (result)
        tighten(result);
    free(d.log_y);
    return result;
}

/* -------------------------------------------------------------------- beam */

/* A prefix: its parent's labels and one more. Node 0 is the empty prefix. */
typedef struct node {
    size_t parent, depth, first_child, next_sibling; /* 0: none (the empty prefix is nobody's child) */
    size_t beam;                                     /* its place among the current beams, or NO_BEAM */
    int32_t label;
} node;

#define NO_BEAM SIZE_MAX

/* A prefix that is kept, or might be: a node, or a new child of one. */
typedef struct beam {
    size_t node; /* of the prefix; of its parent if `is_new` */
    int32_t label;
    bool is_new;
    double blank, label_end; /* log probabilities of its paths that end in a blank, and in its last label */
    double score;            /* of both */
} beam;

typedef struct search {
    const char *name;
    size_t classes, width, nodes, capacity, beams, kept;
    node *node;
    beam *beam, *next; /* [width], the second a heap with the worst on top */
    beam *staying;     /* [width] */
    size_t *child_beam; /* [V]: current beam of the child by that label, or NO_BEAM */
} search;

static double log_add(double a, double b)
{
    const double largest = a > b ? a : b;
    return largest == -INFINITY ? largest : largest + log1p(exp((a > b ? b : a) - largest));
}

/* The prefix of `depth` labels that prefix `at` begins with. */
static size_t ancestor_at(const search *s, size_t at, size_t depth)
{
    while (s->node[at].depth > depth)
        at = s->node[at].parent;
    return at;
}

static size_t depth_of(const search *s, const beam *b)
{
    return s->node[b->node].depth + b->is_new;
}

static int32_t label_at(const search *s, const beam *b, size_t depth)
{
    return depth > s->node[b->node].depth ? b->label : s->node[ancestor_at(s, b->node, depth)].label;
}

/* Whether the prefix of a comes before that of b in lexicographical order. */
static bool comes_before(const search *s, const beam *a, const beam *b)
{
    const size_t depth_a = depth_of(s, a), depth_b = depth_of(s, b), common = depth_a < depth_b ? depth_a : depth_b;
    for (size_t depth = 1; depth <= common; depth++) {
        const int32_t of_a = label_at(s, a, depth), of_b = label_at(s, b, depth);
        if (of_a != of_b)
            return of_a < of_b;
    }
    return depth_a < depth_b;
}

static bool is_better(const search *s, const beam *a, const beam *b)
{
    return a->score != b->score ? a->score > b->score : comes_before(s, a, b);
}

/* Restores the heap's order below place i: every parent is worse than its children. */
static void sift_down(const search *s, beam *heap, size_t count, size_t i)
{
    for (;;) {
        size_t worst = i;
        for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < count; child++)
            worst = is_better(s, &heap[worst], &heap[child]) ? child : worst;
        if (worst == i)
            return;
        const beam exchanged = heap[i];
        heap[i] = heap[worst];
        heap[worst] = exchanged;
        i = worst;
    }
}

/* Keeps a candidate if it is among the best `width` so far. */
static void offer(search *s, beam candidate)
{
    candidate.score = log_add(candidate.blank, candidate.label_end);
    if (candidate.score == -INFINITY)
        return;
    if (s->kept == s->width) {
        if (is_better(s, &candidate, &s->next[0])) {
            s->next[0] = candidate;
            sift_down(s, s->next, s->kept, 0);
        }
        return;
    }
    size_t i = s->kept++;
    for (; i > 0 && is_better(s, &s->next[(i - 1) / 2], &candidate); i = (i - 1) / 2)
        s->next[i] = s->next[(i - 1) / 2];
    s->next[i] = candidate;
}

/* The kept candidates, best first, become the beams; new prefixes get their nodes. */
static lg_status adopt(search *s)
{
    for (size_t count = s->kept; count > 1; count--) { /* heap sort: the worst goes to the end */
        const beam worst = s->next[0];
        s->next[0] = s->next[count - 1];
        s->next[count - 1] = worst;
        sift_down(s, s->next, count - 1, 0);
    }
    for (size_t b = 0; b < s->beams; b++)
        s->node[s->beam[b].node].beam = NO_BEAM;
    for (size_t b = 0; b < s->kept; b++) {
        beam *kept = &s->next[b];
        if (kept->is_new) {
            const size_t parent = kept->node;
            size_t child = s->node[parent].first_child;
            while (child && s->node[child].label != kept->label)
                child = s->node[child].next_sibling;
            if (!child) {
                if (lg_reserve(&s->node, &s->capacity, s->nodes + 1, sizeof *s->node, s->name) != LG_OK)
                    return LG_E_MEMORY;
                child = s->nodes++;
                s->node[child] = (node){ .parent = parent,
                                         .depth = s->node[parent].depth + 1,
                                         .next_sibling = s->node[parent].first_child,
                                         .label = kept->label };
                s->node[parent].first_child = child;
            }
            kept->node = child;
            kept->is_new = false;
        }
        s->node[kept->node].beam = b;
    }
    beam *spare = s->beam;
    s->beam = s->next;
    s->next = spare;
    s->beams = s->kept;
    return LG_OK;
}

/* One frame. A prefix stays itself by a blank, or by its last label again; it grows by any label, but by its last one
 * only from paths that end in a blank. What grows into a prefix that is a beam itself is added to that. */
static lg_status step(search *s, const double *log_y, size_t blank)
{
    s->kept = 0;
    for (size_t b = 0; b < s->beams; b++) {
        const beam *now = &s->beam[b];
        const node *n = &s->node[now->node];
        s->staying[b] = (beam){ .node = now->node,
                                .blank = now->score + log_y[blank],
                                .label_end = n->depth ? now->label_end + log_y[n->label] : -INFINITY };
    }
    for (size_t b = 0; b < s->beams; b++) {
        const beam *now = &s->beam[b];
        const size_t at = now->node;
        for (size_t child = s->node[at].first_child; child; child = s->node[child].next_sibling)
            s->child_beam[s->node[child].label] = s->node[child].beam;
        for (size_t k = 0; k < s->classes; k++) {
            if (k == blank)
                continue;
            const bool repeated = s->node[at].depth && (size_t)s->node[at].label == k;
            const double grown = (repeated ? now->blank : now->score) + log_y[k];
            const size_t target = s->child_beam[k];
            if (target != NO_BEAM)
                s->staying[target].label_end = log_add(s->staying[target].label_end, grown);
            else
                offer(s, (beam){ .node = at, .label = (int32_t)k, .is_new = true, .blank = -INFINITY, .label_end = grown });
        }
        for (size_t child = s->node[at].first_child; child; child = s->node[child].next_sibling)
            s->child_beam[s->node[child].label] = NO_BEAM;
    }
    for (size_t b = 0; b < s->beams; b++)
        offer(s, s->staying[b]);
    return adopt(s);
}

static void write_paths(const search *s, size_t sample, lg_ctc_labels *result)
{
    for (size_t p = 0; p < result->paths; p++) {
        const size_t row = sample * result->paths + p;
        result->scores[row] = p < s->beams ? s->beam[p].score : -INFINITY;
        if (p >= s->beams)
            continue;
        size_t at = s->beam[p].node, u = result->lengths[row] = s->node[at].depth;
        for (; u > 0; at = s->node[at].parent)
            result->labels[row * result->width + --u] = s->node[at].label;
    }
}

static lg_status decode_by_beam(const decoder *d, search *s, size_t sample, lg_ctc_labels *result)
{
    lg_status status = LG_OK;
    s->nodes = s->beams = 1;
    s->node[0] = (node){ .beam = 0 };
    s->beam[0] = (beam){ .blank = 0, .label_end = -INFINITY };
    for (size_t t = 0; status == LG_OK && t < frames_of(d, sample); t++)
        status = step(s, d->log_y + t * d->shape.classes, d->options.blank);
    write_paths(s, sample, result);
    return status;
}

static lg_status prepare_search(const decoder *d, size_t beam_width, search *s)
{
    *s = (search){ .name = d->name, .classes = d->shape.classes, .width = beam_width };
    s->beam = lg_calloc(beam_width, sizeof *s->beam, d->name);
    s->next = lg_calloc(beam_width, sizeof *s->next, d->name);
    s->staying = lg_calloc(beam_width, sizeof *s->staying, d->name);
    s->child_beam = lg_calloc(s->classes, sizeof *s->child_beam, d->name);
    if (!s->beam || !s->next || !s->staying || !s->child_beam)
        return LG_E_MEMORY;
    for (size_t k = 0; k < s->classes; k++)
        s->child_beam[k] = NO_BEAM;
    return lg_reserve(&s->node, &s->capacity, 1, sizeof *s->node, d->name);
}

static void free_search(search *s)
{
    free(s->beam);
    free(s->next);
    free(s->staying);
    free(s->child_beam);
    free(s->node);
}

lg_ctc_labels *lg_ctc_beam_decode(const lg_tensor *pred, size_t beam_width, size_t top_paths,
                                  const lg_ctc_decode_options *options)
{
    decoder d = { .name = "ctc_beam_decode" };
    search s = { 0 };
    lg_status status = check_input(&d, pred, options);
    if (status == LG_OK && (beam_width == 0 || top_paths == 0 || top_paths > beam_width))
        status = lg_fail(LG_E_PARAM, "%s: beam_width is %zu and top_paths %zu, but 1 <= top_paths <= beam_width is wanted", d.name,
                         beam_width, top_paths);
    if (status != LG_OK || allocate_frames(&d) != LG_OK)
        return NULL;
    lg_ctc_labels *result = new_labels(&d, top_paths);
    status = result ? prepare_search(&d, beam_width, &s) : LG_E_MEMORY;
    for (size_t n = 0; status == LG_OK && n < d.shape.samples; n++) {
        if (read_frames(&d, n)) {
            status = decode_by_beam(&d, &s, n, result);
            continue;
        }
        for (size_t p = 0; p < top_paths; p++)
            result->scores[n * top_paths + p] = (double)NAN;
    }
    if (status == LG_OK) {
        tighten(result);
    } else {
        lg_ctc_labels_free(result);
        result = NULL;
    }
    free_search(&s);
    free(d.log_y);
    return result;
}
