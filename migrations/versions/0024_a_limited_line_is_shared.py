"""a limited line is shared by all workers

Revision: 0024
Follows: 0023
"""

import sqlalchemy as sa
from alembic import op

import core.db

revision = '0024'
down_revision = '0023'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'gateway_line',
        sa.Column('name', sa.String(), nullable=False),
        sa.Column('free_at', core.db.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint('name', name=op.f('pk_gateway_line')),
    )


def downgrade() -> None:
    op.drop_table('gateway_line')
