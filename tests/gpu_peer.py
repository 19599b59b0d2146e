"""What PyTorch reaches on the same card: ResNet-50, bf16, channels last, compiled.

Prints lines of JSON beside those of `nanoatlas bench --json`.
"""
import json
import time

import torch
import torchvision

BATCH, STEPS = 256, 20


def rate(step):
    for _ in range(5):
        step()
    torch.cuda.synchronize()
    start = time.perf_counter()
    for _ in range(STEPS):
        step()
    torch.cuda.synchronize()
    return BATCH * STEPS / (time.perf_counter() - start)


def main():
    model = torchvision.models.resnet50().cuda().to(memory_format=torch.channels_last)
    images = torch.randn(BATCH, 3, 224, 224, device="cuda").to(memory_format=torch.channels_last)
    labels = torch.arange(BATCH, device="cuda") % 1000
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3, momentum=0.9, weight_decay=1e-4)
    compiled = torch.compile(model)

    def train():
        with torch.autocast("cuda", dtype=torch.bfloat16):
            loss = torch.nn.functional.cross_entropy(compiled(images), labels)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()

    def extract():
        with torch.no_grad(), torch.autocast("cuda", dtype=torch.bfloat16):
            compiled(images)

    print(json.dumps({"peer": "pytorch " + torch.__version__, "bench": "train", "rate": rate(train)}))
    model.eval()
    print(json.dumps({"peer": "pytorch " + torch.__version__, "bench": "extract", "rate": rate(extract)}))


if __name__ == "__main__":
    main()
