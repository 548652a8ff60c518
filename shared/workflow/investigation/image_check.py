"""Asks the deployer whether commits have an image, each once: a service goes in, the question of the gate out."""

from functools import cache

from shared.proof.model.target import NO_IMAGE_NEEDED, ImageCheck
from shared.service import RolloutMode, Service
from shared.workflow.context import Context
from shared.workflow.prover import CheckImage


def build_image_check(context: Context, service: Service) -> CheckImage:
    """Answers `NO_IMAGE_NEEDED` where provenfix deploys nothing. Raises Retry where the platform cannot be reached."""
    is_deployed_here = service.rollout_mode is RolloutMode.PLATFORM and not service.is_read_only

    @cache
    def check_image(commit: str) -> ImageCheck:
        return context.deployer.check_image(service, commit) if is_deployed_here else NO_IMAGE_NEEDED

    return check_image
