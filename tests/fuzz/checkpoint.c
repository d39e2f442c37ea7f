/* Fuzz target of checkpoints: the first byte chooses what trains, the rest is a checkpoint that it is to go on from. A
 * checkpoint carries a checksum of all that is in it, at which every change would end; so the right one is written into
 * the file first, where the file is a safetensors file that has room for one.
 * Built and run by `make fuzz`. The ordinary tests replay tests/fuzz/checkpoint/ (test_checkpoint_fuzz.c). */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "luge.h"
#include "train/checkpoint_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

enum { FUZZ_ADAM = 1, FUZZ_AVERAGE = 2, FUZZ_STOPPING = 4, FUZZ_PLATEAU = 8, FUZZ_WAYS = 16 };

typedef struct fuzz_line {
    lg_params *params;
    lg_tensor *w, *b; /* [1, 2], [1] */
    lg_optimizer *optimizer;
} fuzz_line;

static lg_tensor *fuzz_step(lg_tape *tape, const lg_batch *batch, void *model)
{
    const fuzz_line *l = model;
    lg_tensor *x = lg_batch_x(tape, batch), *y = lg_batch_y(tape, batch); /* [batch, 2], [batch] */
    lg_tensor *rows = lg_linear(tape, x, l->w, l->b, LG_LINEAR);          /* [batch, 1] */
    return lg_mean_squared_error(tape, lg_reshape(tape, rows, LG_SHAPE(lg_batch_rows(batch))), y, NULL);
}

/* Trains up to an epoch, from `resume` or, if that is NULL, from the beginning; `save`, unless NULL, gets checkpoints. A
 * file that is refused as no checkpoint, or a damaged one, must leave the parameters as they were. */
static lg_history *fuzz_train(uint8_t way, size_t epochs, const char *resume, const char *save)
{
    static const lg_real x[] = { 1, 0, 0, 1, 1, 1, 2, -1, -1, 2, 0, 0 }, y[] = { 1, 2, 3, 0, 3, 0 };
    static const lg_real zero[3];
    const lg_schedule plateau = lg_schedule_plateau(0.5, 1);
    lg_dataset *data = lg_dataset_from_arrays(6, 2, x, y);
    fuzz_line l = { .params = lg_params_new() };
    l.w = lg_params_add(l.params, "w", LG_SHAPE(1, 2));
    l.b = lg_params_add(l.params, "b", LG_SHAPE(1));
    l.optimizer = way & FUZZ_ADAM ? lg_adam_new(l.params, &(lg_adam_options){ .learning_rate = 0.01 })
                                  : lg_sgd_new(l.params, &(lg_sgd_options){ .learning_rate = 0.01, .momentum = 0.5 });
    lg_fit_options o = { .epochs = epochs, .batch_size = 3, .seed = 7, .validation = data, .verbose = LG_SILENT,
                         .resume_path = resume, .checkpoint_path = save };
    if (way & FUZZ_AVERAGE)
        o.average = (lg_average_options){ .kind = LG_AVERAGE_EXPONENTIAL, .decay = 0.9 };
    if (way & FUZZ_STOPPING)
        o.early_stopping.patience = 2;
    if (way & FUZZ_PLATEAU)
        o.schedule = &plateau;
    lg_error_clear();
    lg_history *history = lg_fit(fuzz_step, &l, l.optimizer, data, &o);
    if (!history && (lg_error()[0] == '\0' || lg_error_code() >= 0))
        abort();
    if (!history && lg_error_code() == LG_E_FORMAT
        && (memcmp(lg_tensor_data(l.w), zero, 2 * sizeof *zero) != 0 || memcmp(lg_tensor_data(l.b), zero, sizeof *zero) != 0))
        abort();
    lg_optimizer_free(l.optimizer);
    lg_params_free(l.params);
    lg_dataset_free(data);
    return history;
}

/* The sum that the checkpoint should state. */
static bool fuzz_sum(const char *path, uint64_t *sum)
{
    lg_safetensors *file = lg_safetensors_open(path);
    *sum = 0;
    for (size_t i = 0; file && i < lg_safetensors_metadata_count(file); i++) {
        const lg_metadata text = lg_safetensors_metadata_at(file, i);
        *sum += strcmp(text.key, LG_CHECKPOINT_SUM) ? lg_checkpoint_sum_text(text.key, text.value) : 0;
    }
    for (size_t i = 0; file && i < lg_safetensors_count(file); i++) {
        const lg_file_tensor *t = lg_safetensors_at(file, i);
        void *values = malloc(t->bytes + 1);
        if (!values || lg_safetensors_read_bytes(file, t, values) != LG_OK)
            abort();
        *sum += lg_checkpoint_sum_tensor(t->name, t->dtype, t->rank, t->dims, values, t->bytes);
        free(values);
    }
    lg_safetensors_close(file);
    return file != NULL;
}

/* Writes it over the one that the file states. */
static void fuzz_mend(int descriptor, const char *path, const uint8_t *bytes, size_t count)
{
    static const char key[] = "\"" LG_CHECKPOINT_SUM "\":\"";
    enum { DIGITS = 16 };
    const uint8_t *stated = memmem(bytes, count, key, sizeof key - 1);
    uint64_t sum;
    char text[DIGITS + 1];
    if (!stated || (size_t)(bytes + count - stated) < sizeof key - 1 + DIGITS || !fuzz_sum(path, &sum))
        return;
    snprintf(text, sizeof text, "%016" PRIx64, sum);
    if (pwrite(descriptor, text, DIGITS, (off_t)((size_t)(stated - bytes) + sizeof key - 1)) != DIGITS)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    if (count < 1)
        return 0;
    int descriptor = memfd_create("fuzz", MFD_CLOEXEC);
    if (descriptor < 0 || write(descriptor, bytes + 1, count - 1) != (ssize_t)(count - 1))
        abort();
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", descriptor);
    fuzz_mend(descriptor, path, bytes + 1, count - 1);
    lg_history_free(fuzz_train(bytes[0], 3, path, NULL));
    close(descriptor);
    return 0;
}
