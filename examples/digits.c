/* Handwritten digits, 8 x 8 pixels, by a network of one hidden layer: what a program with luge looks like.
 *
 *     build/digits                     trains on data/digits.csv.gz and writes digits.csv, the history
 *     cc digits.c $(pkg-config --cflags --libs luge) -o digits            outside of luge's own tree        */
#include <luge.h>
#include <stdio.h>

typedef struct { lg_dense *hidden, *out; } digit_net;

/* One batch: record the forward pass on the tape, return the loss. */
static lg_tensor *step(lg_tape *tape, const lg_batch *batch, void *model)
{
    digit_net *net = model;
    lg_tensor *x = lg_batch_x(tape, batch);                         /* [batch, 64] */
    lg_tensor *y = lg_batch_y(tape, batch);                         /* [batch] int32 classes */
    lg_tensor *h = lg_tanh(tape, lg_dense_apply(tape, net->hidden, x)); /* [batch, 32] */
    lg_tensor *logits = lg_dense_apply(tape, net->out, h);          /* [batch, 10] */
    lg_report_accuracy(tape, logits, y);
    return lg_sparse_categorical_crossentropy(tape, logits, y, &(lg_loss_options){ .from_logits = true });
}

int main(void)
{
    lg_rng rng = lg_rng_seed(42);
    lg_params *params = lg_params_new();
    digit_net net = { lg_dense_new(params, "hidden", 64, 32, &rng), lg_dense_new(params, "out", 32, 10, &rng) };
    lg_dataset *digits = lg_dataset_read_csv("data/digits.csv.gz",
                                             &(lg_csv_options){ .target = "-1", .target_kind = LG_CLASSES });
    lg_optimizer *adam = lg_adam_new(params, &(lg_adam_options){ .learning_rate = 1e-3 });
    lg_history *history = lg_fit(step, &net, adam, digits, &(lg_fit_options){
        .epochs = 20, .batch_size = 32, .validation_split = 0.2, .history_path = "digits.csv" });
    if (!history) {                                  /* the first thing that went wrong, anywhere above */
        fprintf(stderr, "digits: %s\n", lg_error());
        return 1;
    }
    printf("final loss %.4f\n", lg_history_last(history, "loss"));
    lg_history_free(history), lg_optimizer_free(adam), lg_dataset_free(digits), lg_params_free(params);
}
