/* Sequence losses: connectionist temporal classification over a batch (sequence.h). */
#include "losses/sequence.h"

#include "losses/ctc_internal.h"
#include "losses/loss_internal.h"
#include "tensor/tensor_internal.h"
#include "tensor/threads_internal.h"

enum { CTC_PRED, CTC_TARGET, CTC_INPUT_LENGTHS, CTC_TARGET_LENGTHS };
enum { CTC_INPUT, CTC_BLANK, CTC_ZERO_INFINITY, CTC_TIME_MAJOR, CTC_EPS };
enum { SIMPLIFIED_TIME_MAJOR, SIMPLIFIED_EPS };

/* ------------------------------------------------------------------ shapes */

lg_status lg_ctc_read_shape(const char *name, const lg_tensor *pred, bool time_major, lg_ctc_shape *shape)
{
    char text[LG_SHAPE_TEXT_BYTES];
    if (pred->rank != 3 || pred->dims[2] == 0)
        return lg_fail(LG_E_SHAPE, "%s: pred is %s, but must be %s with at least one class", name,
                       lg_tensor_shape_text(pred, text, sizeof text),
                       time_major ? "[frames, samples, classes]" : "[samples, frames, classes]");
    *shape = (lg_ctc_shape){ .samples = pred->dims[time_major ? 1 : 0],
                             .frames = pred->dims[time_major ? 0 : 1],
                             .classes = pred->dims[2],
                             .time_major = time_major };
    return LG_OK;
}

lg_status lg_ctc_check_lengths(const char *name, const char *what, const lg_tensor *lengths, size_t samples, size_t most)
{
    char text[LG_SHAPE_TEXT_BYTES];
    if (lengths->rank != 1 || lengths->size != samples)
        return lg_fail(LG_E_SHAPE, "%s: %s is %s, but must be [%zu], one per sample", name, what,
                       lg_tensor_shape_text(lengths, text, sizeof text), samples);
    for (size_t n = 0; n < samples; n++)
        if (lengths->index[n] < 0 || (size_t)lengths->index[n] > most)
            return lg_fail(LG_E_DOMAIN, "%s: %s[%zu] is %d, but must be in 0..%zu", name, what, n, (int)lengths->index[n],
                           most);
    return LG_OK;
}

lg_status lg_ctc_check_blank(const char *name, double blank, size_t classes)
{
    if (blank >= 0 && blank < (double)classes && blank == floor(blank))
        return LG_OK;
    return lg_fail(LG_E_PARAM, "%s: blank is %g, but must be one of the %zu classes (0..%zu)", name, blank, classes,
                   classes - 1);
}

/* A target of rank 2 has a row per sample; of rank 1, it is the samples' labels one after the other. */
static lg_status check_target(const lg_ctc_call *call)
{
    const lg_tensor *target = call->target;
    char text[LG_SHAPE_TEXT_BYTES];
    const bool concatenated = target->rank == 1;
    if (!concatenated && (target->rank != 2 || target->dims[0] != call->shape.samples))
        return lg_fail(LG_E_SHAPE, "%s: target is %s, but must be [%zu, labels], or [sum of target_lengths]", call->name,
                       lg_tensor_shape_text(target, text, sizeof text), call->shape.samples);
    if (concatenated && !call->target_lengths)
        return lg_fail(LG_E_SHAPE, "%s: target is %s, labels one after the other; that needs target_lengths", call->name,
                       lg_tensor_shape_text(target, text, sizeof text));
    if (!call->target_lengths)
        return LG_OK;
    lg_status status = lg_ctc_check_lengths(call->name, "target_lengths", call->target_lengths, call->shape.samples,
                                            concatenated ? target->size : target->dims[1]);
    size_t sum = 0;
    for (size_t n = 0; status == LG_OK && concatenated && n < call->shape.samples; n++)
        sum += (size_t)call->target_lengths->index[n];
    if (status == LG_OK && concatenated && sum != target->size)
        return lg_fail(LG_E_SHAPE, "%s: target has %zu labels, but target_lengths add up to %zu", call->name, target->size,
                       sum);
    return status;
}

/* ----------------------------------------------------------------- samples */

static lg_ctc_call call_of(const lg_loss_batch *batch)
{
    const double *p = batch->param;
    lg_ctc_call call = { .name = batch->info->name,
                         .target = batch->inputs[CTC_TARGET],
                         .input_lengths = batch->inputs[CTC_INPUT_LENGTHS],
                         .target_lengths = batch->inputs[CTC_TARGET_LENGTHS] };
    if (batch->info == &lg_ctc_simplified_row) {
        call.input = LG_CTC_PROBS;
        call.eps = p[SIMPLIFIED_EPS];
        call.shape.time_major = p[SIMPLIFIED_TIME_MAJOR] != 0;
    } else {
        call.input = (lg_ctc_input)p[CTC_INPUT];
        call.eps = p[CTC_EPS];
        call.shape.time_major = p[CTC_TIME_MAJOR] != 0;
        call.has_blank = true;
    }
    return call;
}

/* Sample n of the call; *offset is where its labels begin in a concatenated target, and moves on. */
static lg_ctc_sample sample_of(const lg_ctc_call *call, size_t n, size_t *offset)
{
    const lg_tensor *target = call->target;
    const bool concatenated = target->rank == 1;
    lg_ctc_sample s = { .index = n, .frames = call->shape.frames };
    if (call->input_lengths)
        s.frames = (size_t)call->input_lengths->index[n];
    s.target = target->index + (concatenated ? *offset : n * target->dims[1]);
    if (call->target_lengths) {
        s.labels = (size_t)call->target_lengths->index[n];
    } else {
        while (s.labels < target->dims[1] && s.target[s.labels] != -1 &&
               !(call->has_blank && s.target[s.labels] == (int32_t)call->blank))
            s.labels++;
    }
    *offset += s.labels;
    return s;
}

static lg_status check_labels(const lg_ctc_call *call, const lg_ctc_sample *s)
{
    const size_t first = (size_t)(s->target - call->target->index);
    for (size_t u = 0; u < s->labels; u++) {
        const int32_t label = s->target[u];
        if (label < 0 || (size_t)label >= call->shape.classes)
            return lg_fail(LG_E_INDEX, "%s: target[%zu], label %zu of sample %zu, is %d, but there are %zu classes (0..%zu)",
                           call->name, first + u, u, s->index, (int)label, call->shape.classes, call->shape.classes - 1);
        if (call->has_blank && (size_t)label == call->blank)
            return lg_fail(LG_E_INDEX, "%s: target[%zu], label %zu of sample %zu, is %d, which is the blank", call->name,
                           first + u, u, s->index, (int)label);
    }
    return LG_OK;
}

static lg_status check_probabilities(const lg_ctc_call *call, const lg_tensor *pred)
{
    const lg_real spare = (lg_real)1e-6;
    for (size_t i = 0; i < pred->size; i++)
        if (pred->real[i] < -spare || pred->real[i] > 1 + spare)
            return lg_fail(LG_E_DOMAIN, "%s: pred[%zu] is %g, but must be a probability in [0, 1]", call->name, i,
                           (double)pred->real[i]);
    return LG_OK;
}

/* What lies at the start of scratch; then come the samples, and a region for each worker, in which it lays out one sample
 * after the other. */
typedef struct ctc_state {
    lg_ctc_call call;
    lg_loss_batch *batch;
    lg_ctc_sample *samples;
    char *region;
    size_t region_bytes, workers;
} ctc_state;

/* Bytes of a region: enough for the most labels in the most frames. */
static size_t region_bytes(const lg_ctc_call *call, size_t most_labels, lg_ctc_carver *carver)
{
    lg_ctc_sample largest = { .labels = most_labels, .frames = call->shape.frames };
    *carver = (lg_ctc_carver){ 0 };
    lg_ctc_lay_out(call, &largest, carver);
    return carver->used;
}

/* --------------------------------------------------------------- the batch */

static lg_status check_call(const lg_loss_batch *batch, lg_ctc_call *call)
{
    const lg_tensor *pred = batch->inputs[CTC_PRED];
    lg_status status = lg_ctc_read_shape(call->name, pred, call->shape.time_major, &call->shape);
    if (status == LG_OK && call->has_blank)
        status = lg_ctc_check_blank(call->name, batch->param[CTC_BLANK], call->shape.classes);
    if (status != LG_OK)
        return status;
    call->blank = call->has_blank ? (size_t)batch->param[CTC_BLANK] : 0;
    if (call->input_lengths)
        status = lg_ctc_check_lengths(call->name, "input_lengths", call->input_lengths, call->shape.samples,
                                      call->shape.frames);
    if (status == LG_OK)
        status = check_target(call);
    if (status == LG_OK && call->input == LG_CTC_PROBS && !batch->options->unchecked)
        status = check_probabilities(call, pred);
    return status;
}

enum { FEW_FRAMES = 256 }; /* take less time than to wake a thread */

static size_t workers_for(const lg_ctc_shape *shape)
{
    const size_t threads = shape->samples * shape->frames < FEW_FRAMES ? 1 : lg_num_threads();
    return threads < shape->samples ? threads : shape->samples > 0 ? shape->samples : 1;
}

static lg_status ctc_plan(lg_loss_batch *batch)
{
    lg_ctc_call call = call_of(batch);
    lg_status status = check_call(batch, &call);
    lg_ctc_carver carver = { 0 }, region;
    size_t offset = 0, most_labels = 0;
    lg_ctc_carve(&carver, 1, sizeof(ctc_state));
    lg_ctc_carve(&carver, call.shape.samples, sizeof(lg_ctc_sample));
    for (size_t n = 0; status == LG_OK && n < call.shape.samples; n++) {
        lg_ctc_sample s = sample_of(&call, n, &offset);
        if (!call.has_blank && s.labels == 0)
            return lg_fail(LG_E_SHAPE, "%s: sample %zu has no labels, but needs at least one", call.name, n);
        status = check_labels(&call, &s);
        most_labels = s.labels > most_labels ? s.labels : most_labels;
    }
    lg_ctc_carve(&carver, workers_for(&call.shape), region_bytes(&call, most_labels, &region));
    if (status == LG_OK && (carver.overflow || region.overflow))
        status = lg_fail(LG_E_MEMORY, "%s: the lattice of %zu labels in %zu frames is larger than memory can be", call.name,
                         most_labels, call.shape.frames);
    batch->rank = 1;
    batch->dims[0] = call.shape.samples;
    batch->scratch_bytes = carver.used;
    return status;
}

static double per_label(const lg_loss_batch *batch, const lg_ctc_sample *s)
{
    return batch->options->reduction == LG_REDUCE_MEAN_PER_LABEL && s->labels > 1 ? 1 / (double)s->labels : 1;
}

static ctc_state *new_state(lg_loss_batch *batch)
{
    lg_ctc_call call = call_of(batch);
    lg_ctc_read_shape(call.name, batch->inputs[CTC_PRED], call.shape.time_major, &call.shape);
    call.blank = call.has_blank ? (size_t)batch->param[CTC_BLANK] : 0;
    lg_ctc_carver carver = { .base = batch->scratch }, region;
    ctc_state *state = lg_ctc_carve(&carver, 1, sizeof *state);
    *state = (ctc_state){ .call = call, .batch = batch };
    state->samples = lg_ctc_carve(&carver, batch->units, sizeof *state->samples);
    size_t offset = 0, most_labels = 0;
    for (size_t n = 0; n < batch->units; n++) {
        state->samples[n] = sample_of(&call, n, &offset);
        most_labels = state->samples[n].labels > most_labels ? state->samples[n].labels : most_labels;
    }
    state->region = lg_ctc_carve(&carver, 0, 1);
    state->region_bytes = region_bytes(&call, most_labels, &region);
    state->workers = (batch->scratch_bytes - carver.used) / state->region_bytes; /* as many as were planned */
    return state;
}

/* Loss and derivative of a sample at once, while its lattice is in cache. */
static lg_status compute_sample(size_t n, size_t worker, void *context)
{
    const ctc_state *state = context;
    const lg_loss_batch *batch = state->batch;
    const lg_real *pred = batch->inputs[CTC_PRED]->real;
    const bool zero_infinity = state->call.has_blank && batch->param[CTC_ZERO_INFINITY] != 0;
    lg_ctc_sample *s = &state->samples[n];
    lg_ctc_carver carver = { .base = state->region + worker * state->region_bytes };
    lg_ctc_lay_out(&state->call, s, &carver);
    const double loss = lg_ctc_sample_value(&state->call, s, pred);
    batch->loss[n] = zero_infinity && loss == INFINITY ? 0 : (lg_real)(loss * per_label(batch, s));
    if (batch->d[CTC_PRED])
        lg_ctc_sample_derivative(&state->call, s, pred, batch->d[CTC_PRED]);
    return LG_OK;
}

/* Multiplies the derivative of a sample by what backward asks for. A sample that counts nothing has 0, whatever it is. */
static lg_status scale_sample(size_t n, size_t worker, void *context)
{
    (void)worker;
    const ctc_state *state = context;
    const lg_loss_batch *batch = state->batch;
    const lg_real factor = (lg_real)((double)batch->factor[n] * per_label(batch, &state->samples[n]));
    for (size_t t = 0; t < state->call.shape.frames; t++) {
        lg_real *d = batch->d[CTC_PRED] + lg_ctc_frame_at(&state->call.shape, n, t);
        for (size_t k = 0; k < state->call.shape.classes; k++)
            d[k] = factor == 0 ? 0 : factor * d[k];
    }
    return LG_OK;
}

/* Samples do not touch each other, so that their results are the same on any number of threads. */
static void ctc_value(lg_loss_batch *batch)
{
    ctc_state *state = new_state(batch);
    (void)lg_parallel(batch->units, state->workers, compute_sample, state);
}

static void ctc_derivative(lg_loss_batch *batch)
{
    ctc_state *state = batch->scratch;
    if (batch->d[CTC_PRED])
        (void)lg_parallel(batch->units, state->workers, scale_sample, state);
}

/* -------------------------------------------------------------------- rows */

#define CTC_INPUTS                                                                                \
    { { "pred", .differentiable = true },                                                         \
      { "target", .layout = LG_OWN_WIDTH, .domain = LG_ANY_INDEX },                               \
      { "input_lengths", .layout = LG_PER_UNIT, .domain = LG_ANY_INDEX, .optional = true },       \
      { "target_lengths", .layout = LG_PER_UNIT, .domain = LG_ANY_INDEX, .optional = true } }
#define CTC_PARAM_TIME_MAJOR { .name = "time_major", .high = 1, .choices = "false|true" }

const lg_loss_info lg_ctc_row = {
    .name = "ctc",
    .family = "sequence",
    .summary = "label sequences whose alignment with the frames is unknown: speech to text, handwriting, OCR",
    .formula = "-log sum over the paths that spell the labels of prod_t y_t(path_t)",
    .output = "one logit per class and frame, one of the classes being the blank",
    .reference = "keras.losses.CTC; torch.nn.CTCLoss; Graves, Fernandez, Gomez & Schmidhuber 2006",
    .tasks = LG_TASK_SEQUENCE,
    .takes = LG_TAKES_MEAN_PER_LABEL,
    .units = LG_UNIT_BATCH,
    .inputs = CTC_INPUTS,
    .params = { { .name = "input", .high = 2, .choices = "logits|log_probs|probs" },
                { .name = "blank", .high = INFINITY },
                { .name = "zero_infinity", .high = 1, .choices = "false|true" },
                CTC_PARAM_TIME_MAJOR,
                LG_PARAM_EPS },
    .aliases = { { "ctc_loss", NULL } },
    .plan = ctc_plan,
    .value = ctc_value,
    .derivative = ctc_derivative,
};

lg_tensor *lg_ctc(lg_tape *tape, lg_tensor *pred, lg_tensor *target, lg_tensor *input_lengths,
                  lg_tensor *target_lengths, lg_ctc_input input, size_t blank, bool zero_infinity, bool time_major,
                  const lg_loss_options *options)
{
    return lg_loss_call(tape, &lg_ctc_row, (lg_tensor *[]){ pred, target, input_lengths, target_lengths },
                        (double[]){ (double)input, (double)blank, zero_infinity, time_major }, 4, options);
}

const lg_loss_info lg_ctc_simplified_row = {
    .name = "ctc_simplified",
    .family = "sequence",
    .summary = "a recursion without blanks that some programs call CTC, for reproducing them; train with ctc",
    .formula = "-log alpha_{T-1}(U-1),   alpha_t(s) = p_t(l_s) (alpha_{t-1}(s) + alpha_{t-1}(s-1))",
    .output = "a probability per class and frame",
    .reference = "Graves et al. 2006, without its blanks",
    .tasks = LG_TASK_SEQUENCE,
    .units = LG_UNIT_BATCH,
    .inputs = CTC_INPUTS,
    .params = { CTC_PARAM_TIME_MAJOR, LG_PARAM_EPS },
    .plan = ctc_plan,
    .value = ctc_value,
    .derivative = ctc_derivative,
};

lg_tensor *lg_ctc_simplified(lg_tape *tape, lg_tensor *pred, lg_tensor *target, lg_tensor *input_lengths,
                             lg_tensor *target_lengths, bool time_major, const lg_loss_options *options)
{
    return lg_loss_call(tape, &lg_ctc_simplified_row, (lg_tensor *[]){ pred, target, input_lengths, target_lengths },
                        (double[]){ time_major }, 1, options);
}
