/* How much of a loss is lost in float: the double build writes values and gradients of random calls of every loss, the
 * float build makes the same calls and compares. The inputs are numbers that a float holds, so all that differs is the
 * arithmetic of the loss. */
#ifndef LOSS_VALUES_H
#define LOSS_VALUES_H

/* Writes the file; prints the table against it. Both return an exit status. */
int write_loss_values(const char *path);
int print_loss_accuracy(const char *path);

#endif
