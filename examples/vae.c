/* The variational autoencoder: learns to write down a picture in a few numbers, and to draw one from such numbers.
 *
 *     build/vae                                               handwritten digits of 8 x 8 pixels
 *     build/vae --latent 2 --beta 0.5                         fewer numbers, that may say more
 *     build/vae --data train-images-idx3-ubyte.gz --textbook  784-400-32, as for MNIST
 *     build/vae --load runs/vae --predict strangers.csv       how much are these rows like digits?
 *
 * Rows become values in [0, 1] (vae_rows.c), which the loss takes for probabilities of ink. The network is in
 * autoencoder.c. What was learned shows in numbers (autoencoder_report.c, autoencoder_score.c) and in pictures
 * (autoencoder_pictures.c): rows and their reconstructions, samples drawn from nothing but noise, walks from one row to
 * another. */
#include "autoencoder_pictures.h"
#include "autoencoder_report.h"
#include "autoencoder_score.h"
#include "prediction.h"
#include "trainer_steps.h"
#include "vae_file.h"

typedef struct vae {
    vae_options options;
    loaded_model loaded; /* of --load */
    vae_rows rows;
    autoencoder model;
    lg_optimizer *optimizer;
} vae;

/* ---------------------------------------------------------- data and model */

/* An encoder, a decoder, and with --load the weights of those in the file. */
static lg_status build_model(vae *v, size_t features)
{
    lg_rng rng = trainer_rng(&v->options.shared, TRAINER_WEIGHTS);
    v->options.model.features = features;
    lg_status status = autoencoder_init(&v->model, &v->options.model, &rng);
    if (status == LG_OK && v->options.shared.load)
        status = loaded_weights(&v->loaded, v->model.params);
    return status;
}

static lg_status prepare(void *model)
{
    vae *v = model;
    const trainer_options *shared = &v->options.shared;
    lg_status status = shared->load ? vae_file_open(&v->loaded, &v->options) : LG_OK;
    if (status == LG_OK)
        status = vae_rows_read(&v->rows, &v->options, shared->load ? &v->loaded : NULL);
    if (status == LG_OK)
        status = build_model(v, lg_dataset_features(v->rows.data.all));
    v->optimizer = status == LG_OK ? trainer_optimizer(shared, v->model.params) : NULL;
    status = v->optimizer ? trainer_print_data(shared, &v->rows.data) : lg_error_code();
    if (status == LG_OK)
        status = lg_sequential_summary(v->model.encoder, stdout);
    return status == LG_OK ? lg_sequential_summary(v->model.decoder, stdout) : status;
}

/* -------------------------------------------------------------------- loss */

/* One batch: what it costs to write the rows down, and to draw them again from that.
 *   loss = -log p(x | z) + beta KL(q(z | x) || N(0, 1)),   z drawn from q(z | x) */
static lg_tensor *step(lg_tape *tape, const lg_batch *batch, void *context)
{
    vae *v = context;
    autoencoder *model = &v->model;
    const double rows = (double)lg_batch_rows(batch), beta = autoencoder_beta(model, tape);
    lg_tensor *x = autoencoder_values(tape, batch, model);          /* [batch, features] */
    autoencoder_code code = autoencoder_encode(tape, model, x);     /* [batch, latent] each */
    lg_tensor *z = autoencoder_sample(tape, model, &code);          /* [batch, latent] */
    lg_tensor *logits = autoencoder_logits(tape, model, z);         /* [batch, features] */
    lg_tensor *loss = lg_vae(tape, logits, x, code.mean, code.log_var, beta, LG_RECONSTRUCT_BCE_LOGITS, NULL);
    lg_tensor *kl = lg_gaussian_kl(tape, lg_detach(tape, code.mean), lg_detach(tape, code.log_var), NULL);
    if (!loss || !kl)
        return NULL;
    lg_report(tape, "reconstruction", lg_tensor_item(loss) - beta * lg_tensor_item(kl), rows);
    lg_report(tape, "kl", lg_tensor_item(kl), rows);
    if (model->options.beta_warmup)
        lg_report(tape, "beta", beta, rows);
    return loss;
}

/* --------------------------------------------------------------------- fit */

static lg_history *fit(vae *v, run *r)
{
    lg_fit_options options = trainer_fit_options(&v->options.shared, v->rows.data.validation, r);
    options.callback = autoencoder_next_epoch; /* counts, for the warm-up of beta */
    options.context = &v->model;
    return lg_fit(step, v, v->optimizer, v->rows.data.train, &options);
}

/* ------------------------------------------------------------------ report */

static lg_status draw(vae *v, run *r)
{
    const vae_rows *rows = &v->rows;
    if (rows->height)
        return autoencoder_pictures(r, &v->model, &rows->data, rows->height, rows->width, v->options.shared.seed);
    printf("No pictures: %zu values are no square; --shape HEIGHT,WIDTH says how they lie\n", v->model.options.features);
    return LG_OK;
}

static lg_status judge(vae *v, run *r)
{
    const trainer_data *data = &v->rows.data;
    const uint64_t seed = v->options.shared.seed;
    score_limits limits = { 0 };
    lg_tensor *scores = autoencoder_score_rows(&v->model, data->all, seed); /* [rows, SCORES] */
    lg_status status = scores ? autoencoder_report(r, &v->model, data, scores) : lg_error_code();
    if (status == LG_OK)
        status = autoencoder_limits(data, scores, &limits);
    if (status == LG_OK)
        status = vae_file_save(r, &v->model, &v->rows, &limits);
    if (status == LG_OK && v->rows.scored)
        status = autoencoder_score(r, &v->model, data, scores, v->rows.scored, v->options.score, seed);
    lg_tensor_free(scores);
    return status == LG_OK ? draw(v, r) : status;
}

static lg_status train(void *model, run *r, lg_history **history)
{
    vae *v = model;
    vae_note(r, &v->options);
    trainer_note_data(r, &v->options.shared, &v->rows.data);
    *history = fit(v, r);
    lg_status status = *history ? trainer_note_history(r, *history, "Variational autoencoder: loss") : lg_error_code();
    if (status != LG_OK)
        return status;
    return lg_history_signal(*history) ? vae_file_save(r, &v->model, &v->rows, NULL) : judge(v, r);
}

/* -------------------------------------------------------------- prediction */

static lg_status tell(run *r, const loaded_model *m, size_t rows, const lg_real *scores)
{
    score_limits limits = { 0 };
    bool there;
    lg_status status = vae_file_limits(m, &limits, &there);
    if (status == LG_OK && there)
        autoencoder_say_scores(r, rows, scores, &limits);
    return status;
}

static lg_status predict(void *model, int argc, const char *const *argv)
{
    vae *v = model;
    lg_status status = vae_file_open(&v->loaded, &v->options);
    if (status == LG_OK)
        status = build_model(v, loaded_features(&v->loaded));
    return status == LG_OK ? loaded_predict(&v->loaded, argc, argv, &(prediction){ .outputs = autoencoder_scores,
                                                                                   .model = &v->model,
                                                                                   .columns = SCORES,
                                                                                   .names = score_names,
                                                                                   .batch_size = SCORE_BATCH,
                                                                                   .seed = v->options.shared.seed,
                                                                                   .tell = tell })
                           : status;
}

/* ---------------------------------------------------------------- together */

static void release(void *model)
{
    vae *v = model;
    lg_optimizer_free(v->optimizer);
    autoencoder_free(&v->model);
    vae_rows_free(&v->rows);
    loaded_close(&v->loaded);
}

int main(int argc, char **argv)
{
    static const trainer_steps steps = { prepare, train, predict, release };
    vae v = { .options = vae_parse(argc, argv) };
    return trainer_main(&vae_about, &v.options.shared, &steps, &v, argc, argv);
}
